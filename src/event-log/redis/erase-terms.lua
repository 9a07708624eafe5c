-- Stands before erase.lua: how entries are taken out of the index, where it is a tail and blocks.
--
-- KEYS  6 tail; from 7 on the keys of blocks
-- ARGV  4 how many changes of the tail follow, for each of which: the offset, what is there, and what is to be; then for
--         each change of a block: the place of its key (from 1, which is the seventh), the field, its value, and what
--         it is to be

local INDEX_LAYOUT = LAYOUT
local TAIL, BLOCKS_BEFORE, FIRST_CHANGE = KEYS[6], 6, 5
local firstOfBlocks = FIRST_CHANGE + 3 * tonumber(ARGV[4])

-- Whether all that is to be changed stands there yet as the caller read it.
local function isIndexAsRead()
  for i = FIRST_CHANGE, firstOfBlocks - 1, 3 do
    local offset, before = tonumber(ARGV[i]), ARGV[i + 1]
    if call('GETRANGE', TAIL, offset, offset + #before - 1) ~= before then return false end
  end
  for i = firstOfBlocks, #ARGV, 4 do
    if call('HGET', KEYS[BLOCKS_BEFORE + tonumber(ARGV[i])], ARGV[i + 1]) ~= ARGV[i + 2] then return false end
  end
  return true
end

local function eraseFromIndex()
  for i = FIRST_CHANGE, firstOfBlocks - 1, 3 do call('SETRANGE', TAIL, ARGV[i], ARGV[i + 2]) end
  for i = firstOfBlocks, #ARGV, 4 do
    local key, field, after = KEYS[BLOCKS_BEFORE + tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 3]
    if after == '' then call('HDEL', key, field) else call('HSET', key, field, after) end
  end
end
