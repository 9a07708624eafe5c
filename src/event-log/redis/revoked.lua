-- The list of the tokens that no longer hold, unless the caller knows it.
--
-- KEYS  1 revoked, 2 revision
-- ARGV  1 the revision that the caller knows
-- returns  nil if that is the list's; else its revision, empty while there is no list, and the ids of its tokens

local revision = call('GET', KEYS[2]) or ''
if revision == ARGV[1] then return false end
return { revision, call('ZRANGEBYSCORE', KEYS[1], text(clock()), '+inf') }
