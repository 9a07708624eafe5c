-- Stands before trim.lua: what goes of the index with the oldest entries, where it is a sorted set a value.
--
-- KEYS  7 terms; from 8 on the index keys of the oldest entries

local INDEX_LAYOUT = FORMER_LAYOUT

-- Takes what lies before number `oldest` out of these sets, and the rows of such entries out of the terms.
-- returns  whether there are more such rows
local function trimIndex(oldest)
  local TERMS = KEYS[7]
  for k = 8, #KEYS do call('ZREMRANGEBYSCORE', KEYS[k], '-inf', '(' .. text(oldest)) end
  for _ = 1, CHUNK do
    local row = call('LINDEX', TERMS, 0)
    if not row or tonumber(string.match(row, '^%[%d+,(%d+)')) >= oldest then return false end
    call('LPOP', TERMS)
  end
  return true
end
