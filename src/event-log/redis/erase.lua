-- Erases events: an entry goes from the stream and from the index, and leaves its tag and time behind. The first write
-- is one that Redis allows when its memory is full.
--
-- KEYS  1 meta, 2 entries, 3 erased, 4 minute, 5 counts; from 6 on those of the index
-- ARGV  1 epoch, 2 channel
--       3 JSON: of each entry, by number: its number, its tag, and the name under which it is counted
--       from 4 on what is to be changed in the index
-- returns  how many events were erased; nil where the log or its index has changed since the caller read it

local META, ENTRIES, ERASED, MINUTE_COUNTS, COUNTS = unpack(KEYS, 1, 5)

local meta = readMeta(META)
if not meta or meta.epoch ~= ARGV[1] then return nil end
if meta.layout ~= INDEX_LAYOUT then refuseLayout(meta.layout) end
if not isIndexAsRead() then return nil end

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

local erased = {}
for _, entry in ipairs(cjson.decode(ARGV[3])) do
  local number, tag, name = unpack(entry)
  local id = text(number) .. '-0'
  local found = call('XRANGE', ENTRIES, id, id)[1]
  local foundTag, receivedAt
  if found then foundTag, receivedAt = fieldsOf(found) end
  if found and foundTag == tag then
    call('XDEL', ENTRIES, id)
    call('HSET', ERASED, text(number), tag .. ' ' .. receivedAt)
    uncount(tonumber(receivedAt), name)
    erased[#erased + 1] = '[' .. text(number) .. ',"' .. tag .. '"]'
  end
end

eraseFromIndex(meta.oldest)
-- Whoever has read the index reads it again.
call('HINCRBY', META, 'erasures', 1)

if #erased > 0 then call('PUBLISH', ARGV[2], '{"x":[' .. table.concat(erased, ',') .. ']}') end
return #erased
