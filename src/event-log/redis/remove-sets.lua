-- Removes a part of the former index of a log that has been converted.
--
-- KEYS  1 meta, 2 the former terms; from 3 on the sets that its first rows name
-- ARGV  1 how many rows, 2 the first and 3 the last of them as the caller read them
-- returns  nil where the log has not this layout; 0 where the rows are others by now; else 1

local META, TERMS = unpack(KEYS, 1, 2)
local count = tonumber(ARGV[1])

if call('HGET', META, 'layout') ~= LAYOUT then return nil end
if call('LINDEX', TERMS, 0) ~= ARGV[2] or call('LINDEX', TERMS, count - 1) ~= ARGV[3] then return 0 end
for from = 3, #KEYS, CHUNK do call('UNLINK', unpack(KEYS, from, math.min(from + CHUNK - 1, #KEYS))) end
call('LTRIM', TERMS, count, -1)
return 1
