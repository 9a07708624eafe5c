-- Finds the first entries received at or after given times.
--
-- KEYS  1 minutes, 2 entries
-- ARGV  1 oldest and 2 newest number to be found; from 3 on the times, milliseconds
-- returns  for each time the number; newest + 1 where no entry is as late

local oldest, newest = tonumber(ARGV[1]), tonumber(ARGV[2])

-- The first number from `low` to `high` that was received at or after `time`, else `high + 1`. An erased number
-- stands for the entry behind it.
local function search(low, high, time)
  while low <= high do
    local middle = floor((low + high) / 2)
    local row = call('XRANGE', KEYS[2], text(middle) .. '-0', text(high) .. '-0', 'COUNT', 1)[1]
    local _, receivedAt
    if row then _, receivedAt = fieldsOf(row) end
    if row and tonumber(receivedAt) < time then low = numberOf(row[1]) + 1 else high = middle - 1 end
  end
  return low
end

local reply = {}
for i = 3, #ARGV do
  local time = tonumber(ARGV[i])
  local minute = floor(time / MINUTE)
  local marks = call('ZRANGEBYSCORE', KEYS[1], text(minute), '+inf', 'WITHSCORES', 'LIMIT', 0, 2)
  local number = tonumber(marks[1]) or newest + 1
  if tonumber(marks[2]) == minute and time > minute * MINUTE then
    local high = (tonumber(marks[3]) or newest + 1) - 1
    number = search(math.max(number, oldest), math.min(high, newest), time)
  end
  reply[#reply + 1] = math.max(oldest, math.min(number, newest + 1))
end
return reply
