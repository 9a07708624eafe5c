-- Stands before every script of this folder.

-- Raised when a field, a key or a form of theirs changes its meaning: an older instance then stops instead of writing.
-- A log of the former layout is used as it is: the two differ in the index alone.
local LAYOUT, FORMER_LAYOUT = '2', '1'
local MINUTE = 60000
-- Lua's unpack takes some 8,000 values.
local CHUNK = 4000

local call = redis.call
local floor = math.floor

-- Whole numbers as text: Lua's own form turns to an exponent from 1e15 on.
local function text(number)
  return string.format('%.0f', number)
end

-- The number of a stream id, which is always `<number>-0`.
local function numberOf(id)
  return tonumber(string.sub(id, 1, -3))
end

-- An entry's tag, receivedAt and stored event, from the fields t, r and e that XADD was given in this order.
local function fieldsOf(row)
  local fields = row[2]
  return fields[2], fields[4], fields[6]
end

-- The store's clock in milliseconds.
local function clock()
  local time = call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- The counts of the running minute as one text; nil where nothing was counted.
local function countsText(key)
  local counted = call('HGETALL', key)
  if #counted == 0 then return nil end
  local totals = {}
  for i = 1, #counted, 2 do totals[counted[i]] = tonumber(counted[i + 1]) end
  return cjson.encode(totals)
end

-- Whoever writes an index raises this where the log has that of the other layout.
local function refuseLayout(layout)
  error('LAYOUT the log has layout ' .. layout, 0)
end

-- The log's state, or nil where there is no log. The fields stand as in STATE_FIELDS of log-state.ts.
local function readMeta(key)
  local meta = call('HMGET', key,
    'layout', 'epoch', 'number', 'tag', 'receivedAt', 'oldest', 'cursorKey', 'countsFrom', 'erasures')
  if not meta[1] then return nil end
  if meta[1] ~= LAYOUT and meta[1] ~= FORMER_LAYOUT then refuseLayout(meta[1]) end
  return {
    layout = meta[1], epoch = meta[2], number = tonumber(meta[3]), tag = meta[4], receivedAt = tonumber(meta[5]),
    oldest = tonumber(meta[6]), cursorKey = meta[7], countsFrom = tonumber(meta[8]),
    erasures = tonumber(meta[9] or 0),
  }
end

-- The log's state as readMeta has it; makes the log where there is none, with the epoch and the cursor key offered.
local function openMeta(metaKey, entriesKey, termsKey, epoch, cursorKey)
  local meta = readMeta(metaKey)
  if meta then return meta end
  meta = { layout = LAYOUT, epoch = epoch, number = 0, tag = 'AAAAAAAA', receivedAt = 0, oldest = 1,
    cursorKey = cursorKey, countsFrom = 0, erasures = 0 }
  -- A store that has lost this key alone (evicted, deleted) numbers on behind what it holds, so that its indexes stay
  -- true; under a new epoch, so that no old cursor passes.
  local newest = call('XREVRANGE', entriesKey, '+', '-', 'COUNT', 1)[1]
  if newest then
    local tag, receivedAt = fieldsOf(newest)
    meta.number, meta.tag, meta.receivedAt = numberOf(newest[1]), tag, tonumber(receivedAt)
    meta.oldest = numberOf(call('XRANGE', entriesKey, '-', '+', 'COUNT', 1)[1][1])
    if call('EXISTS', termsKey) == 1 then meta.layout = FORMER_LAYOUT end
  end
  call('HSET', metaKey, 'layout', meta.layout, 'epoch', epoch, 'number', text(meta.number), 'tag', meta.tag,
    'receivedAt', text(meta.receivedAt), 'oldest', text(meta.oldest), 'cursorKey', cursorKey, 'countsFrom', '0', 'erasures', '0')
  return meta
end

-- The tag of the entry `number`, of an erased one too; false where there is none. An erased entry leaves
-- `<tag> <receivedAt>` under its number.
local function tagOf(entriesKey, erasedKey, number)
  local row = call('XRANGE', entriesKey, number .. '-0', number .. '-0')[1]
  if row then return (fieldsOf(row)) end
  local erased = call('HGET', erasedKey, number)
  return erased and string.match(erased, '^%S+')
end

-- The first number from `oldest` to `newest` that was received at or after `time`, else `newest + 1`: by the minutes,
-- and in the minute that `time` lies in by looking at its entries.
local function firstSince(minutesKey, entriesKey, time, oldest, newest)
  local minute = floor(time / MINUTE)
  local marks = call('ZRANGEBYSCORE', minutesKey, text(minute), '+inf', 'WITHSCORES', 'LIMIT', 0, 2)
  local first = tonumber(marks[1]) or newest + 1
  if tonumber(marks[2]) == minute and time > minute * MINUTE then
    local low, high = math.max(first, oldest), math.min((tonumber(marks[3]) or newest + 1) - 1, newest)
    while low <= high do
      local middle = floor((low + high) / 2)
      -- An erased number stands for the entry behind it.
      local row = call('XRANGE', entriesKey, text(middle) .. '-0', text(high) .. '-0', 'COUNT', 1)[1]
      local _, receivedAt
      if row then _, receivedAt = fieldsOf(row) end
      if row and tonumber(receivedAt) < time then low = numberOf(row[1]) + 1 else high = middle - 1 end
    end
    first = low
  end
  return math.max(oldest, math.min(first, newest + 1))
end
