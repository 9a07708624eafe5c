-- Copies a part of the entries into another stream, which takes the place of the first once it has all of them: a stream
-- keeps the bytes of a deleted entry until all others of its node are gone, and a copy never had them. XADD is a write
-- that Redis refuses when its memory is full: then nothing has changed but the copy.
--
-- KEYS  1 meta, 2 entries, 3 copy, 4 what the replaced stream is called until it is gone
-- ARGV  1 epoch and 2 erasures as they were when the copy was begun, 3 the last number that it has; 0 where it has none
--       4 bytes to copy at the most, about; 5 milliseconds after which a copy that nobody goes on with is gone
-- returns  nil where the copy can no longer become the log's; else the last number that it has, and 1 where it is now

-- An inbound event may weigh 25 MB, and whatever came before it tells nothing of that.
local MAX_ROWS = 8

local META, ENTRIES, COPY, REPLACED = unpack(KEYS)
local last, bytesLeft = tonumber(ARGV[3]), tonumber(ARGV[4])

local meta = readMeta(META)
if not meta or meta.epoch ~= ARGV[1] or meta.erasures ~= tonumber(ARGV[2]) then return nil end
if last > 0 and call('EXISTS', COPY) == 0 then return nil end

local rows, hasAll = 1, false
while bytesLeft > 0 and not hasAll do
  local read = call('XRANGE', ENTRIES, text(last + 1) .. '-0', '+', 'COUNT', rows)
  local bytes = 0
  for _, row in ipairs(read) do
    call('XADD', COPY, row[1], unpack(row[2]))
    local _, _, stored = fieldsOf(row)
    bytes = bytes + #stored
    last = numberOf(row[1])
  end
  hasAll = #read < rows
  bytesLeft = bytesLeft - bytes
  if not hasAll then rows = math.max(1, math.min(MAX_ROWS, floor(bytesLeft * #read / (bytes + 1)))) end
end
if not hasAll then
  call('PEXPIRE', COPY, ARGV[5])
  return { text(last), 0 }
end

local first = call('XRANGE', ENTRIES, '-', '+', 'COUNT', 1)[1]
-- A stream without an entry has no node.
if not first then
  call('UNLINK', COPY)
  return { text(last), 1 }
end
-- What was trimmed meanwhile.
call('XTRIM', COPY, 'MINID', '=', first[1])
if call('XLEN', COPY) ~= call('XLEN', ENTRIES) then return nil end
call('PERSIST', COPY)
call('RENAME', ENTRIES, REPLACED)
call('RENAME', COPY, ENTRIES)
-- Freed in the background, as a large stream takes long.
call('UNLINK', REPLACED)
return { text(last), 1 }
