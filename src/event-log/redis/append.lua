-- Appends a batch as one atomic act: leaves out what the deduplication window knows, numbers the rest densely, stores
-- and indexes it, counts it by the minute, and tells whoever listens. The first write is one that Redis refuses when
-- its memory is full (HSET, XADD), so a refused append leaves nothing behind.
--
-- KEYS  1 meta, 2 entries, 3 ids, 4 minutes, 5 minute, 6 counts, 7 terms; from 8 on those of the index
-- ARGV  1 epoch and 2 cursor key for a log that is not there yet
--       3 milliseconds and 4 entries of the deduplication window
--       5 channel, 6 bytes of stored events that a message carries at the most
--       7 name under which the sender has kept the batch, or empty: a message that nobody else gets carries it, and the
--         places of the duplicates, instead of the entries
--       8 JSON: the places in the batch (from 1) by the name under which they are counted
--       9 tag and id of each event, a line each; 10 what is indexed; from 11 on the stored events. These no string is
--         made of in here but for a message that others get: Redis' Lua reads each new string from end to end, to hash it
-- returns  appended, duplicates, head, length of entries, length of ids, bytes of the index that are in no block yet, the
--          tag at head

local META, ENTRIES, IDS, MINUTES, MINUTE_COUNTS, COUNTS, TERMS = unpack(KEYS, 1, 7)
local FIRST_STORED = 11
local channel, messageBytes, name = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local batch = #ARGV - FIRST_STORED + 1
local batchTags, batchIds = {}, {}
for tag, id in string.gmatch(ARGV[9], '(%S+) ([^\n]*)') do
  batchTags[#batchTags + 1] = tag
  batchIds[#batchIds + 1] = id
end

local meta = openMeta(META, ENTRIES, TERMS, ARGV[1], ARGV[2])
if meta.layout ~= INDEX_LAYOUT then refuseLayout(meta.layout) end
local before = { number = meta.number, tag = meta.tag, receivedAt = meta.receivedAt }
local now = math.max(clock(), meta.receivedAt)
local nowText = text(now)
local number, tag = meta.number, meta.tag

-- Deduplication: `known` holds the number last given to each id, of this batch too.
local windowMs, windowEntries = tonumber(ARGV[3]), tonumber(ARGV[4])
local known = {}
for from = 1, batch, CHUNK do
  local ids = {}
  for i = from, math.min(from + CHUNK - 1, batch) do ids[#ids + 1] = batchIds[i] end
  local numbers = call('ZMSCORE', IDS, unpack(ids))
  for k = 1, #ids do
    if numbers[k] then known[ids[k]] = tonumber(numbers[k]) end
  end
end

-- Numbers from `young` on were received within the window, those below `parted` were not; between them lies the one
-- minute that the window's border parts, where only the entry's own time can tell.
local young, parted
local function findWindow()
  local border = floor((now - windowMs) / MINUTE)
  local marks = call('ZRANGEBYSCORE', MINUTES, border, '+inf', 'WITHSCORES', 'LIMIT', 0, 2)
  parted = tonumber(marks[1]) or before.number + 1
  young = parted
  if tonumber(marks[2]) == border then young = tonumber(marks[3]) or before.number + 1 end
end

local function isYoung(entry)
  if entry > before.number then return windowMs > 0 end
  if not young then findWindow() end
  if entry >= young then return true end
  if entry < parted then return false end
  local row = call('XRANGE', ENTRIES, text(entry) .. '-0', text(entry) .. '-0')[1]
  -- Trimmed: known by the minute alone, and kept until all of it is over.
  if not row then return true end
  local _, receivedAt = fieldsOf(row)
  return tonumber(receivedAt) > now - windowMs
end

local function isDuplicate(id)
  local entry = known[id]
  return entry and entry > number - windowEntries and isYoung(entry)
end

-- `numbers` has the number given to each place of the batch; nil for duplicates.
local numbers = {}
local message, bytes = { '' }, 0
local duplicates = {}
local isOwn = false
if name ~= '' then
  -- A user that may not ask has the entries sent.
  local listening = redis.pcall('PUBSUB', 'NUMSUB', channel)
  isOwn = not listening.err and listening[2] <= 1
end
local idPairs = {}
for i = 1, batch do
  local id = batchIds[i]
  if not isDuplicate(id) then
    number = number + 1
    local stored = ARGV[FIRST_STORED + i - 1]
    tag = batchTags[i]
    local numberText = text(number)
    call('XADD', ENTRIES, numberText .. '-0', 't', tag, 'r', nowText, 'e', stored)
    numbers[i] = number
    known[id] = number
    idPairs[#idPairs + 1] = numberText
    idPairs[#idPairs + 1] = id
    bytes = bytes + #stored
    if not isOwn then
      message[#message + 1] = '\n'
      message[#message + 1] = tag
      message[#message + 1] = stored
    end
  else
    duplicates[#duplicates + 1] = i
  end
end

local appended = number - before.number
if appended == 0 then
  return { 0, batch, number, call('XLEN', ENTRIES), call('ZCARD', IDS), 0, tag }
end

for from = 1, #idPairs, CHUNK do
  call('ZADD', IDS, unpack(idPairs, from, math.min(from + CHUNK - 1, #idPairs)))
end

local unsealed = addToIndex(batch, numbers, before.number + 1, number, tag, nowText)

-- The running minute is counted in a hash of its own, and folded into one text when the next one begins: so neither
-- does an append rewrite a long text, nor does a month of minutes take a field for each of its counts.
local minute, lastMinute = floor(now / MINUTE), floor(before.receivedAt / MINUTE)
if minute > lastMinute then
  local counts = countsText(MINUTE_COUNTS)
  if counts then
    call('HSET', COUNTS, text(lastMinute), counts)
    call('DEL', MINUTE_COUNTS)
  end
  call('ZADD', MINUTES, text(minute), text(before.number + 1))
end
for name, places in pairs(cjson.decode(ARGV[8])) do
  local count = 0
  for _, place in ipairs(places) do
    if numbers[place] then count = count + 1 end
  end
  if count > 0 then call('HINCRBY', MINUTE_COUNTS, name, count) end
end

call('HSET', META, 'number', text(number), 'tag', tag, 'receivedAt', nowText)

message[1] = '{"e":"' .. meta.epoch .. '","p":' .. text(before.number) .. ',"pt":"' .. before.tag .. '","r":' .. nowText
  .. ',"n":' .. text(number)
  .. (isOwn and ',"b":"' .. name .. '","d":[' .. table.concat(duplicates, ',') .. ']' or '') .. '}'
call('PUBLISH', channel, bytes <= messageBytes and table.concat(message) or message[1])

return { appended, batch - appended, number, call('XLEN', ENTRIES), call('ZCARD', IDS), unsealed, tag }
