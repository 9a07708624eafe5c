-- Reads fields of blocks of the index, of all with one command.
--
-- KEYS  the keys of the blocks
-- ARGV  the fields
-- returns  for each block the value of each field, nil where it has none

local reply = {}
for i, key in ipairs(KEYS) do reply[i] = call('HMGET', key, unpack(ARGV)) end
return reply
