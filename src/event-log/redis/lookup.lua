-- Reads terms of blocks of the index, of all blocks with one command. Most blocks have nothing of a rare term, and then
-- nothing is read of the other conditions, or sent: the condition that has told so goes first from then on.
--
-- KEYS  the keys of the blocks
-- ARGV  for each condition of the filter how many terms it has, and for each of these the field of its own, its
--       bucket's, and what its records in the bucket begin with
-- returns  for each block the values of each term's two fields, nil where it has none, a bucket without a record of the
--          term included; an empty list for a block that has nothing of all terms of a condition

local conditions = {}
local at = 1
while at <= #ARGV do
  local condition = { place = #conditions + 1, fields = {}, records = {} }
  for _ = 1, tonumber(ARGV[at]) do
    table.insert(condition.fields, ARGV[at + 1])
    table.insert(condition.fields, ARGV[at + 2])
    table.insert(condition.records, ARGV[at + 3])
    at = at + 3
  end
  at = at + 1
  conditions[condition.place] = condition
end

-- The values of a condition's fields; nil where none of its terms is in the block.
local function valuesOf(key, condition)
  local values = call('HMGET', key, unpack(condition.fields))
  local isThere = false
  for term, record in ipairs(condition.records) do
    local own, bucket = values[2 * term - 1], values[2 * term]
    if bucket and not string.find(bucket, record, 1, true) then
      bucket = false
      values[2 * term] = false
    end
    isThere = isThere or own or bucket
  end
  return isThere and values or nil
end

local reply = {}
for i, key in ipairs(KEYS) do
  local found, missing = {}, nil
  for k, condition in ipairs(conditions) do
    found[condition.place] = valuesOf(key, condition)
    if found[condition.place] == nil then
      missing = k
      break
    end
  end
  local values = {}
  if missing then
    table.insert(conditions, 1, table.remove(conditions, missing))
  else
    for place = 1, #conditions do
      for _, value in ipairs(found[place]) do table.insert(values, value) end
    end
  end
  reply[i] = values
end
return reply
