-- Says which entries bear the numbers asked for, and writes something: whoever then waits on the same connection for
-- this write to reach replicas waits for all that came before it, whatever connection that came by.
--
-- KEYS  1 meta, 2 entries, 3 erased, 4 check
-- ARGV  1 milliseconds after which what is written is gone; from 2 on, the numbers of entries
-- returns  for each entry its tag, nil if it is missing

local head = call('HMGET', KEYS[1], 'number', 'tag')
local reply = {}
for i = 2, #ARGV do
  -- The newest entry is most often the one that is asked for, and may be large.
  local tag = ARGV[i] == head[1] and head[2] or tagOf(KEYS[2], KEYS[3], ARGV[i])
  reply[#reply + 1] = tag or false
end
call('SET', KEYS[4], '', 'PX', ARGV[1])
return reply
