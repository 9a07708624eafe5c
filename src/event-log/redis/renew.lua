-- Gives the log another epoch, if it still has the one that the caller knows.
--
-- KEYS  1 meta, 2 entries, 3 terms
-- ARGV  1 the new epoch, 2 cursor key for a log that is not there yet, 3 the epoch that the caller knows
-- returns  the epoch that the log now has

local meta = openMeta(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2])
if meta.epoch ~= ARGV[3] then return meta.epoch end
call('HSET', KEYS[1], 'epoch', ARGV[1])
return ARGV[1]
