/**
 * Reads a page of the log of revocations: one text for all entries, because an array for each of a million costs a gateway that
 * starts ten times as much as what it does with them.
 *
 * KEYS     the stream
 * ARGV     the id after which it is read, most entries
 * Returns  the id of the first entry that there is, the id of the last that there ever was, how many entries were read, the id of
 *          the last of them, and lines of their digest, time and stamp (`@` and the id where they have none), and of what they
 *          undo where they say so; what somebody else has written there is left out
 */
export const READ_LOG_SCRIPT = `
local first, generated = '', ''
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then generated = info[i + 1] end
    if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end
  end
end
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local lines = {}
for _, entry in ipairs(entries) do
  local digest, time, undone
  local stamp = '@' .. entry[1]
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'd' then digest = entry[2][i + 1] end
    if entry[2][i] == 't' then time = entry[2][i + 1] end
    if entry[2][i] == 'n' then stamp = entry[2][i + 1] end
    if entry[2][i] == 'u' then undone = ' ' .. entry[2][i + 1] end
  end
  if digest and time and #digest == 16 and #time < 16 and #stamp < 64 then
    lines[#lines + 1] = digest .. ' ' .. time .. ' ' .. stamp .. (undone or '')
  end
end
local last = #entries > 0 and entries[#entries][1] or ARGV[1]
return { first, generated, #entries, last, table.concat(lines, '\\n') }`;

/**
 * Tells how long keys are still there: one answer for many, where they may be asked in one call.
 *
 * KEYS     any
 * Returns  for each what PTTL says
 */
export const LIVES_SCRIPT = `
local lives = {}
for i, key in ipairs(KEYS) do lives[i] = redis.call('PTTL', key) end
return lives`;
