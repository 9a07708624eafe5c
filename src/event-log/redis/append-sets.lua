-- Stands before append.lua: how an append is indexed, where the index is a sorted set a value.
--
-- KEYS  7 terms; from 8 on the index keys of the batch
-- ARGV  10 JSON: for each index key the places in the batch (from 1) that it is to hold

local INDEX_LAYOUT = FORMER_LAYOUT

-- Adds the numbers to the sets, and to the terms a row with the keys of these: by it they are found when the entries go.
-- `numbers` has the number given to each place of the batch; nil for duplicates.
-- returns  0: nothing of it is to become a block
local function addToIndex(_, numbers, first, last, _, nowText)
  local TERMS = KEYS[7]
  local indexKeys = {}
  for k = 8, #KEYS do indexKeys[#indexKeys + 1] = KEYS[k] end
  -- Terms of a log that was lost would be taken for those of the same numbers now.
  if first == 1 then call('DEL', TERMS) end
  call('RPUSH', TERMS, '[' .. text(first) .. ',' .. text(last) .. ',' .. nowText .. ',' .. cjson.encode(indexKeys) .. ']')
  for k, places in ipairs(cjson.decode(ARGV[10])) do
    local members = {}
    for _, place in ipairs(places) do
      if numbers[place] then
        local number = text(numbers[place])
        members[#members + 1] = number
        members[#members + 1] = number
      end
    end
    for from = 1, #members, CHUNK do
      call('ZADD', indexKeys[k], unpack(members, from, math.min(from + CHUNK - 1, #members)))
    end
  end
  return 0
end
