/** How many arguments the script takes for each key. */
export const ARGUMENTS_PER_QUOTA = 11;
/** How many numbers it returns for each key, after the first two. */
export const NUMBERS_PER_QUOTA = 6;

/**
 * Several quotas as one script: the same operations in the same order as `quota-count.ts`. All of them take, or none does.
 *
 * KEYS     `quota:{subject}:name`, each a hash of windows: where it begins, in seconds, to `used:carried:told`
 * ARGV     for each key: mode, limit, cost, carry-over, warn-at, five borders of windows in seconds, units owed
 * Returns  whether the clock of Redis is between the borders (1 or 0), and that clock in ms; then for each key: whether it
 *          fits (1 or 0), used, carried, start, end, news
 *
 * Units that are owed were let pass while Redis could not be asked; they are added whatever comes of the call.
 * Redis' own clock says which window it is: callers send the four around theirs, and are told the time when those do not reach.
 * A key that is no hash is somebody's mistake and begins anew; so does what cannot be read. A window is kept with the one before
 * and after it, because clocks may jump, and nothing else. Each write sets the end, so that nothing outlives its use.
 */
export const QUOTA_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1])
local now_ms = now * 1000 + math.floor(tonumber(time[2]) / 1000)
local quotas, refused = {}, false

local function text(number) return string.format('%.0f', number) end

local function parse(kept)
  if not kept then return nil end
  local used, carried, told = string.match(kept, '^(%d+):(%d+):(%d)$')
  if not used then return nil end
  return { used = tonumber(used), carried = tonumber(carried), told = tonumber(told) }
end

for i, key in ipairs(KEYS) do
  local at = (i - 1) * ${String(ARGUMENTS_PER_QUOTA)}
  local q = { key = key, mode = ARGV[at + 1], limit = tonumber(ARGV[at + 2]), cost = tonumber(ARGV[at + 3]),
    carry = tonumber(ARGV[at + 4]), warn = tonumber(ARGV[at + 5]) }
  for w = 7, 9 do
    if now >= tonumber(ARGV[at + w]) and now < tonumber(ARGV[at + w + 1]) then q.at = at + w end
  end
  if not q.at then return { 0, now_ms } end
  q.start, q.stop = ARGV[q.at], ARGV[q.at + 1]
  local kept = redis.pcall('HMGET', key, q.start, ARGV[q.at - 1])
  if kept.err then
    if not string.find(kept.err, 'WRONGTYPE') then return redis.error_reply(kept.err) end
    if q.mode ~= 'look' then redis.call('DEL', key) end
    kept = {}
  end
  local window = parse(kept[1])
  if not window then
    window = { used = 0, carried = 0, told = 0 }
    q.opens = true
    if q.carry > 0 then
      local last = parse(kept[2])
      if last then window.carried = math.min(q.carry, math.max(0, q.limit + last.carried - last.used))
      elseif redis.pcall('HLEN', key) ~= 0 and #kept > 0 then window.carried = math.min(q.carry, q.limit) end
    end
  end
  local owed = tonumber(ARGV[at + 11])
  window.used = window.used + owed
  q.owes = owed > 0
  q.window = window
  q.total = q.limit + window.carried
  q.fits = q.mode == 'look' or q.mode == 'reset' or q.mode == 'back' or window.used + q.cost <= q.total
  if q.mode == 'hard' and not q.fits then refused = true end
  quotas[i] = q
end

local function write(q)
  local w = q.window
  redis.call('HSET', q.key, q.start, text(w.used) .. ':' .. text(w.carried) .. ':' .. text(w.told))
  if q.opens then
    for _, field in ipairs(redis.call('HKEYS', q.key)) do
      if field ~= q.start and field ~= q.stop and field ~= ARGV[q.at - 1] then redis.call('HDEL', q.key, field) end
    end
  end
  local start, stop = tonumber(q.start), tonumber(q.stop)
  redis.call('EXPIREAT', q.key, text(stop + (q.carry > 0 and 2 * (stop - start) or 3600)))
end

local replies = { 1, now_ms }
for i, q in ipairs(quotas) do
  local w, news, takes = q.window, 0, false
  if q.mode == 'reset' then
    w.used, w.told, takes = 0, 0, true
  elseif q.mode == 'back' then
    w.used, takes = math.max(0, w.used - q.cost), true
  elseif q.mode ~= 'look' then
    takes = not refused and (q.fits or q.mode == 'soft')
    if takes then w.used = w.used + q.cost end
    local warned, exhausted = w.told % 2 == 1, w.told >= 2
    if not warned and w.used >= q.warn * q.total then news = news + 1 end
    local over = not q.fits
    if q.mode == 'soft' then over = w.used > q.total end
    if not exhausted and over then news = news + 2 end
    w.told = w.told + news
  end
  if takes or news > 0 or q.owes then write(q) end
  local at = 2 + (i - 1) * ${String(NUMBERS_PER_QUOTA)}
  replies[at + 1], replies[at + 2], replies[at + 3] = q.fits and 1 or 0, w.used, w.carried
  replies[at + 4], replies[at + 5], replies[at + 6] = tonumber(q.start), tonumber(q.stop), news
end
return replies
`;
