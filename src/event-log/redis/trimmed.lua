-- Says of which minutes something was trimmed, and what is left of the one in which the oldest entry lies.
--
-- KEYS  1 minutes, 2 counts, 3 minute; from 4 on the index keys of what is counted
-- ARGV  1 first and 2 last minute, 3 number of the oldest entry
-- returns  the minutes that were trimmed altogether; then, where the oldest entry parts one of the minutes asked for:
--          that minute, its counts as JSON, and for each index key the number of its entries that are held

local MINUTES, COUNTS, MINUTE_COUNTS = unpack(KEYS, 1, 3)
local FIRST_INDEX = 4
local last, oldest = ARGV[2], tonumber(ARGV[3])

local marks = call('ZRANGEBYSCORE', MINUTES, ARGV[1], last, 'WITHSCORES')
local behind = call('ZRANGEBYSCORE', MINUTES, '(' .. last, '+inf', 'LIMIT', 0, 1)[1]
local whole = {}
for i = 1, #marks, 2 do
  local first, minute = tonumber(marks[i]), marks[i + 1]
  local next = tonumber(marks[i + 2] or behind)
  if first >= oldest then break end
  if next and next <= oldest then
    whole[#whole + 1] = minute
  else
    local held = {}
    for k = FIRST_INDEX, #KEYS do
      held[#held + 1] = call('ZCOUNT', KEYS[k], oldest, next and '(' .. text(next) or '+inf')
    end
    return { whole, minute, call('HGET', COUNTS, minute) or countsText(MINUTE_COUNTS), held }
  end
end
return { whole }
