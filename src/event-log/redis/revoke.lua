-- Puts a token on the list of those that no longer hold, and takes those off whose time is over.
--
-- KEYS  1 revoked, 2 revision
-- ARGV  1 the token's id, 2 until when it stays on the list, 3 the list's new revision

call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(clock()))
-- What is on the list stays at least as long as it would have.
call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
call('SET', KEYS[2], ARGV[3])
-- Both go when the last token's time is over.
local last = call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
call('PEXPIREAT', KEYS[1], last)
call('PEXPIREAT', KEYS[2], last)
