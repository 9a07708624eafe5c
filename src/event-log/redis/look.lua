-- Says from where to where the log reaches, and the tags of the entries asked for. Makes the log where there is none.
--
-- KEYS  1 meta, 2 entries, 3 erased, 4 terms
-- ARGV  1 epoch and 2 cursor key for a log that is not there yet
--       3 entries kept by count: asked as `oldest`, an entry is the first that is left by it
--       from 4 on, the numbers of entries, or `oldest`
-- returns  layout, epoch, number, tag, receivedAt, oldest, cursorKey, countsFrom, erasures; then for each entry its tag,
--          nil if it is missing

local meta = openMeta(KEYS[1], KEYS[2], KEYS[4], ARGV[1], ARGV[2])
local reply = {
  meta.layout, meta.epoch, text(meta.number), meta.tag, text(meta.receivedAt), text(meta.oldest), meta.cursorKey,
  text(meta.countsFrom), text(meta.erasures),
}
for i = 4, #ARGV do
  local number = ARGV[i]
  if number == 'oldest' then number = text(math.max(meta.oldest, meta.number - tonumber(ARGV[3]) + 1)) end
  reply[#reply + 1] = tagOf(KEYS[2], KEYS[3], number)
end
return reply
