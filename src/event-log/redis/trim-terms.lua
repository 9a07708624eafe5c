-- Stands before trim.lua: what goes of the index with the oldest entries, where it is a tail and blocks.
--
-- KEYS  7 blocks; from 8 on the keys of the oldest blocks
-- ARGV  9 and on: the first numbers of the oldest blocks, as the caller read them: one more than it has given keys of

local INDEX_LAYOUT = LAYOUT

-- Removes the blocks that stand for nothing but what lies before number `oldest`.
-- returns  whether there may be more of them
local function trimIndex(oldest)
  local BLOCKS, FIRST_BLOCK, FIRST_NUMBER = KEYS[7], 8, 9
  local blocks = #KEYS - FIRST_BLOCK + 1
  local removed = 0
  -- A block reaches up to the next one. Where all that keys were given of are over, the next one may be too.
  for i = 0, blocks - 1 do
    local first, next = ARGV[FIRST_NUMBER + i], ARGV[FIRST_NUMBER + i + 1]
    if tonumber(next) > oldest then break end
    local rank = call('ZRANK', BLOCKS, first)
    if not rank or call('ZRANGE', BLOCKS, rank + 1, rank + 1)[1] ~= next then break end
    call('UNLINK', KEYS[FIRST_BLOCK + i])
    call('ZREM', BLOCKS, first)
    removed = removed + 1
  end
  return removed > 0 and removed == blocks
end
