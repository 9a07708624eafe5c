-- Erases events: an entry goes from the stream and from its indexes, and leaves its tag and time behind. The first
-- write is one that Redis allows when its memory is full.
--
-- KEYS  1 meta, 2 entries, 3 terms, 4 erased, 5 minute, 6 counts; 7 the index key of the address, and from there on
--       the index keys of the entries
-- ARGV  1 channel
--       2 plan, JSON: of each entry, by number: its number, its tag, the name under which it is counted, and its index
--         keys by their places (from 1, which is the address)
-- returns  how many events were erased

local META, ENTRIES, TERMS, ERASED, MINUTE_COUNTS, COUNTS = unpack(KEYS, 1, 6)
local ADDRESS = 7

local meta = readMeta(META)
if not meta then return 0 end

-- What the log holds of an event is not counted by the minute, and what it has trimmed is: an erased one never again.
local function uncount(receivedAt, name)
  local minute = floor(receivedAt / MINUTE)
  if minute == floor(meta.receivedAt / MINUTE) then
    local count = call('HGET', MINUTE_COUNTS, name)
    if not count then return end
    if tonumber(count) > 1 then call('HINCRBY', MINUTE_COUNTS, name, -1) else call('HDEL', MINUTE_COUNTS, name) end
    return
  end
  local counted = call('HGET', COUNTS, text(minute))
  local totals = counted and cjson.decode(counted)
  if not totals or not totals[name] then return end
  totals[name] = totals[name] > 1 and totals[name] - 1 or nil
  call('HSET', COUNTS, text(minute), cjson.encode(totals))
end

local function spanOf(row)
  local first, last = string.match(row, '^%[(%d+),(%d+)')
  return tonumber(first), tonumber(last)
end

-- Takes those of `indexKeys` out of a row of the terms under which none of its entries stands any more: an index key
-- spells its value. Trimming looks under the others.
local function clean(place, row, indexKeys)
  local first, last = spanOf(row)
  local gone, isAny = {}, false
  for key in pairs(indexKeys) do
    if call('ZCOUNT', key, first, last) == 0 then gone[key], isAny = true, true end
  end
  if not isAny then return end
  local head, noted = string.match(row, '^(%[%d+,%d+,%d+,)(.*)%]$')
  local kept = {}
  for _, key in ipairs(cjson.decode(noted)) do
    if not gone[key] then kept[#kept + 1] = key end
  end
  call('LSET', TERMS, place, head .. (#kept > 0 and cjson.encode(kept) or '[]') .. ']')
end

-- The row of the terms that entry `number` is noted in, and its place; nothing where an earlier version noted none.
local function findTerms(number)
  local low, high = 0, call('LLEN', TERMS) - 1
  while low <= high do
    local middle = floor((low + high) / 2)
    local row = call('LINDEX', TERMS, middle)
    local first, last = spanOf(row)
    if number < first then
      high = middle - 1
    elseif number > last then
      low = middle + 1
    else
      return middle, row
    end
  end
end

local erased = {}
local place, row, indexKeys
for _, entry in ipairs(cjson.decode(ARGV[2])) do
  local number, tag, name, places = unpack(entry)
  local id = text(number) .. '-0'
  local found = call('XRANGE', ENTRIES, id, id)[1]
  local foundTag, receivedAt
  if found then foundTag, receivedAt = fieldsOf(found) end
  -- Another tag: the log was lost meanwhile, and this is another's entry.
  if not found or foundTag == tag then
    if found then
      call('XDEL', ENTRIES, id)
      call('HSET', ERASED, text(number), tag .. ' ' .. receivedAt)
      uncount(tonumber(receivedAt), name)
      erased[#erased + 1] = '[' .. text(number) .. ',"' .. tag .. '"]'
    end
    if not row or number > select(2, spanOf(row)) then
      if row then clean(place, row, indexKeys) end
      place, row = findTerms(number)
      indexKeys = {}
    end
    for _, i in ipairs(places) do
      local key = KEYS[ADDRESS + i - 1]
      call('ZREM', key, text(number))
      indexKeys[key] = true
    end
  end
end
if row then clean(place, row, indexKeys) end

-- Of an append of which a part was trimmed, that of the address perhaps.
for i = 0, CHUNK do
  local oldest = call('LINDEX', TERMS, i)
  if not oldest or spanOf(oldest) >= meta.oldest then break end
  clean(i, oldest, { [KEYS[ADDRESS]] = true })
end

if #erased > 0 then call('PUBLISH', ARGV[1], '{"x":[' .. table.concat(erased, ',') .. ']}') end
return #erased
