-- Says of which minutes something was trimmed, and what is known of the one in which the oldest entry lies.
--
-- KEYS  1 meta, 2 minutes, 3 counts, 4 minute
-- ARGV  1 first and 2 last minute, 3 number of the oldest entry
-- returns  the minutes that were trimmed altogether; then, where the oldest entry parts one of the minutes asked for:
--          that minute, its counts as JSON, and the number of the last entry of it

local META, MINUTES, COUNTS, MINUTE_COUNTS = unpack(KEYS)
local last, oldest = ARGV[2], tonumber(ARGV[3])

local marks = call('ZRANGEBYSCORE', MINUTES, ARGV[1], last, 'WITHSCORES')
local behind = call('ZRANGEBYSCORE', MINUTES, '(' .. last, '+inf', 'LIMIT', 0, 1)[1]
local whole = {}
for i = 1, #marks, 2 do
  local first, minute = tonumber(marks[i]), marks[i + 1]
  local next = marks[i + 2] or behind
  if first >= oldest then break end
  if not next or tonumber(next) > oldest then
    local number = next and text(tonumber(next) - 1) or call('HGET', META, 'number')
    return { whole, minute, call('HGET', COUNTS, minute) or countsText(MINUTE_COUNTS), number }
  end
  whole[#whole + 1] = minute
end
return { whole }
