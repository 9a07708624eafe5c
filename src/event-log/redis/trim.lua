-- Removes the oldest entries that are over the limits, and what the index has of none but these. The first writes are
-- ones that Redis allows when its memory is full, for trimming is what makes room.
--
-- KEYS  1 meta, 2 entries, 3 ids, 4 minutes, 5 counts, 6 erased; from 7 on those of the index
-- ARGV  1 epoch and 2 oldest number as the caller read them
--       3 entries to keep, 4 milliseconds to keep them, 5 entries to remove at the most
--       6 milliseconds and 7 entries of the deduplication window, 8 ids to forget at the most
--       from 9 on what is to be known of the index
-- returns  nil where the log has changed since the caller read it; else the oldest number as it is now, the head,
--          and 1 where more is to be removed

local META, ENTRIES, IDS, MINUTES, COUNTS, ERASED = unpack(KEYS, 1, 6)
local idsLimit = tonumber(ARGV[8])

local meta = readMeta(META)
if not meta or meta.epoch ~= ARGV[1] or meta.oldest ~= tonumber(ARGV[2]) then return nil end
if meta.layout ~= INDEX_LAYOUT then refuseLayout(meta.layout) end
local now = math.max(clock(), meta.receivedAt)
local more = 0

-- The newest entry is never trimmed: the head always has a tag.
local ageBorder = now - tonumber(ARGV[4])
local over = meta.number - math.max(tonumber(ARGV[3]), 1)
if ageBorder > 0 then
  over = math.max(over, math.min(firstSince(MINUTES, ENTRIES, ageBorder, meta.oldest, meta.number), meta.number) - 1)
end
local cut = math.min(over, meta.oldest + tonumber(ARGV[5]) - 1)
if cut < over then more = 1 end

if cut >= meta.oldest then
  call('XTRIM', ENTRIES, 'MINID', '=', text(cut + 1) .. '-0')
  if call('HLEN', ERASED) > 0 then
    for _, number in ipairs(call('HKEYS', ERASED)) do
      if tonumber(number) <= cut then call('HDEL', ERASED, number) end
    end
  end
  meta.oldest = cut + 1
  call('HSET', META, 'oldest', text(meta.oldest))
end

if trimIndex(meta.oldest) then more = 1 end

-- The minute that the oldest entry was received in: the last one that began with it or before it.
local low, high = 0, call('ZCARD', MINUTES) - 1
while low < high do
  local middle = floor((low + high + 1) / 2)
  if tonumber(call('ZRANGE', MINUTES, middle, middle)[1]) <= meta.oldest then low = middle else high = middle - 1 end
end
local heldMinute = tonumber(call('ZRANGE', MINUTES, low, low, 'WITHSCORES')[2]) or floor(meta.receivedAt / MINUTE)

-- Counts go with the age, minutes also with the window, and neither while the log holds an entry of that minute.
local countsFrom = math.max(meta.countsFrom, math.min(floor(ageBorder / MINUTE), heldMinute))
local windowMinute = floor((now - tonumber(ARGV[6])) / MINUTE)
local marks = call('ZRANGEBYSCORE', MINUTES, meta.countsFrom, '(' .. text(countsFrom), 'WITHSCORES')
for i = 2, #marks, 2 do call('HDEL', COUNTS, marks[i]) end
call('ZREMRANGEBYSCORE', MINUTES, '-inf', '(' .. text(math.min(countsFrom, windowMinute)))
if countsFrom > meta.countsFrom then call('HSET', META, 'countsFrom', text(countsFrom)) end

-- An id is kept while the log holds its entry, and while it is in the window.
local young = call('ZRANGEBYSCORE', MINUTES, windowMinute, '+inf', 'LIMIT', 0, 1)[1]
local windowFrom = math.max(meta.number - tonumber(ARGV[7]), (tonumber(young) or meta.number + 1) - 1)
local forget = math.min(windowFrom, meta.oldest - 1)
local lowest = tonumber(call('ZRANGE', IDS, 0, 0, 'WITHSCORES')[2])
if lowest and lowest <= forget then
  local last = math.min(forget, lowest + idsLimit - 1)
  call('ZREMRANGEBYSCORE', IDS, '-inf', text(last))
  if last < forget then more = 1 end
end
return { text(meta.oldest), text(meta.number), more }
