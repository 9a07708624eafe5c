-- Finds the first entries received at or after given times.
--
-- KEYS  1 minutes, 2 entries
-- ARGV  1 oldest and 2 newest number to be found; from 3 on the times, milliseconds
-- returns  for each time the number; newest + 1 where no entry is as late

local oldest, newest = tonumber(ARGV[1]), tonumber(ARGV[2])
local reply = {}
for i = 3, #ARGV do reply[#reply + 1] = firstSince(KEYS[1], KEYS[2], tonumber(ARGV[i]), oldest, newest) end
return reply
