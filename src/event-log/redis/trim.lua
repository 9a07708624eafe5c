-- Removes the oldest entries that are over the limits, of those whose index keys the caller has read. The first writes are ones that Redis allows when its memory is full, for
-- trimming is what makes room.
--
-- KEYS  1 meta, 2 entries, 3 terms, 4 ids, 5 minutes, 6 counts, 7 erased; from 8 on the index keys of the entries
-- ARGV  1 epoch and 2 oldest number as the caller read them
--       3 entries to keep, 4 milliseconds to keep them
--       5 milliseconds and 6 entries of the deduplication window, 7 ids to forget at the most
--       8 JSON, for each span of the entries, oldest first, its first and last number and its receivedAt
-- returns  nil where the log has changed since the caller read it; else the oldest number as it is now, the head,
--          and 1 where more ids are to be forgotten

local META, ENTRIES, TERMS, IDS, MINUTES, COUNTS, ERASED = unpack(KEYS, 1, 7)
local FIRST_INDEX = 8
local idsLimit = tonumber(ARGV[7])

local meta = readMeta(META)
if not meta or meta.epoch ~= ARGV[1] or meta.oldest ~= tonumber(ARGV[2]) then return nil end
local now = math.max(clock(), meta.receivedAt)

-- The newest entry is never trimmed: the head always has a tag.
local countBorder = meta.number - math.max(tonumber(ARGV[3]), 1)
local ageBorder = now - tonumber(ARGV[4])
local cut, held = 0, meta.receivedAt
for _, span in ipairs(cjson.decode(ARGV[8])) do
  local first, last = span[1], span[2]
  held = span[3]
  local over = math.min(last, held < ageBorder and meta.number - 1 or countBorder)
  if over >= first then cut = over end
  if over < last then break end
end

if cut > 0 then
  call('XTRIM', ENTRIES, 'MINID', '=', text(cut + 1) .. '-0')
  -- Whatever lies below the cut under these keys is gone too, remains of an older version's trimming included.
  for i = FIRST_INDEX, #KEYS do call('ZREMRANGEBYSCORE', KEYS[i], '-inf', cut) end
  if call('HLEN', ERASED) > 0 then
    for _, number in ipairs(call('HKEYS', ERASED)) do
      if tonumber(number) <= cut then call('HDEL', ERASED, number) end
    end
  end
  -- Below the oldest lie no more than remains of what a store has lost.
  meta.oldest = math.max(meta.oldest, cut + 1)
  call('HSET', META, 'oldest', text(meta.oldest))
end
for _ = 1, CHUNK do
  local terms = call('LINDEX', TERMS, 0)
  if not terms or tonumber(string.match(terms, '^%[%d+,(%d+)')) >= meta.oldest then break end
  call('LPOP', TERMS)
end

-- Counts go with the age, minutes also with the window, and neither while the log holds an entry of that minute.
local heldMinute = floor(held / MINUTE)
local countsFrom = math.max(meta.countsFrom, math.min(floor(ageBorder / MINUTE), heldMinute))
local windowMinute = floor((now - tonumber(ARGV[5])) / MINUTE)
local marks = call('ZRANGEBYSCORE', MINUTES, meta.countsFrom, '(' .. text(countsFrom), 'WITHSCORES')
for i = 2, #marks, 2 do call('HDEL', COUNTS, marks[i]) end
call('ZREMRANGEBYSCORE', MINUTES, '-inf', '(' .. text(math.min(countsFrom, windowMinute)))
if countsFrom > meta.countsFrom then call('HSET', META, 'countsFrom', text(countsFrom)) end

-- An id is kept while the log holds its entry, and while it is in the window.
local young = call('ZRANGEBYSCORE', MINUTES, windowMinute, '+inf', 'LIMIT', 0, 1)[1]
local windowFrom = math.max(meta.number - tonumber(ARGV[6]), (tonumber(young) or meta.number + 1) - 1)
local forget = math.min(windowFrom, meta.oldest - 1)
local more = 0
local lowest = tonumber(call('ZRANGE', IDS, 0, 0, 'WITHSCORES')[2])
if lowest and lowest <= forget then
  local last = math.min(forget, lowest + idsLimit - 1)
  call('ZREMRANGEBYSCORE', IDS, '-inf', text(last))
  if last < forget then more = 1 end
end
return { text(meta.oldest), text(meta.number), more }
