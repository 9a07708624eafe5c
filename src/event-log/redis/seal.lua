-- Makes blocks of the whole tail that the caller has read, if nothing was taken out of it since. The first write is one
-- that Redis refuses when its memory is full: then the tail stays as it is.
--
-- KEYS  1 meta, 2 tail, 3 blocks; from 4 on the keys of the blocks
-- ARGV  1 epoch and 2 erasures as the caller read them, 3 bytes of the tail that it read, 4 what these end with
--       from 5 on, for each block: its first number, how many values follow, and its fields and their values in turn
-- returns  1, or 0 where the tail is another by now

local META, TAIL, BLOCKS = unpack(KEYS, 1, 3)
local FIRST_BLOCK = 4
local length, ending = tonumber(ARGV[3]), ARGV[4]

local meta = call('HMGET', META, 'epoch', 'erasures', 'layout')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] == FORMER_LAYOUT then return 0 end
if call('GETRANGE', TAIL, length - #ending, length - 1) ~= ending then return 0 end

local at = 5
for k = FIRST_BLOCK, #KEYS do
  local first, values = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  -- What bears its name, if anything does, is of a log that is no more.
  call('ZADD', BLOCKS, first, first)
  call('DEL', KEYS[k])
  for from = at, at + values - 1, CHUNK do
    call('HSET', KEYS[k], unpack(ARGV, from, math.min(from + CHUNK, at + values) - 1))
  end
  at = at + values
end
local added = call('GETRANGE', TAIL, length, -1)
if added == '' then call('DEL', TAIL) else call('SET', TAIL, added) end
return 1
