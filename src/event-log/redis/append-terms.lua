-- Stands before append.lua: how an append is indexed, where the index is a tail and blocks.
--
-- KEYS  8 tail, 9 blocks
-- ARGV  10 the terms of each event, a line each

local INDEX_LAYOUT = LAYOUT

-- Adds the terms of each entry as a line, and behind those of an append the number of its first and the tag of its last.
-- `numbers` has the number given to each place of the batch; nil for duplicates.
-- returns  bytes of the index that are in no block yet
local function addToIndex(batch, numbers, first, last, tag)
  local TAIL, BLOCKS = KEYS[8], KEYS[9]
  -- The index of a log that was lost would be taken for one of the same numbers now.
  if first == 1 then call('DEL', TAIL, BLOCKS) end
  local terms = ARGV[10]
  if last - first + 1 < batch then
    local lines, place = {}, 0
    for line in string.gmatch(terms, '[^\n]*\n') do
      place = place + 1
      if numbers[place] then lines[#lines + 1] = line end
    end
    terms = table.concat(lines)
  end
  return call('APPEND', TAIL, terms .. '#' .. text(first) .. ' ' .. tag .. '\n')
end
