-- Stands before erase.lua: how entries are taken out of the index, where it is a sorted set a value.
--
-- KEYS  6 terms, 7 the index key of the address; from 8 on the index keys of the entries
-- ARGV  4 JSON, for each entry, by number: its number, and the places of its index keys (from 1, which is the seventh)

local INDEX_LAYOUT = FORMER_LAYOUT
local TERMS, KEYS_BEFORE = KEYS[6], 6

local function isIndexAsRead() return true end

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

-- The row of the terms that entry `number` is noted in, and its place; nothing where there is none.
local function findRow(number)
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

local function eraseFromIndex(oldest)
  local place, row, indexKeys
  for _, entry in ipairs(cjson.decode(ARGV[4])) do
    local number = entry[1]
    local id = text(number) .. '-0'
    -- What is still there is another's: the log was lost meanwhile.
    if call('XRANGE', KEYS[2], id, id)[1] then break end
    if not row or number > select(2, spanOf(row)) then
      if row then clean(place, row, indexKeys) end
      place, row = findRow(number)
      indexKeys = {}
    end
    for i = 2, #entry do
      local key = KEYS[KEYS_BEFORE + entry[i]]
      call('ZREM', key, text(number))
      indexKeys[key] = true
    end
  end
  if row then clean(place, row, indexKeys) end
  -- Of an append of which a part was trimmed, that of the address perhaps.
  for i = 0, CHUNK do
    local first = call('LINDEX', TERMS, i)
    if not first or spanOf(first) >= oldest then break end
    clean(i, first, { [KEYS[KEYS_BEFORE + 1]] = true })
  end
end
