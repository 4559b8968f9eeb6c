/**
 * Several limits of a request at once, of any algorithm: all are looked at, then all are taken, or none. The same operations in
 * the same order as `token-bucket.ts`, `window-counter.ts` and `sliding-log.ts`. Several requests may travel together; the
 * later of them see what the earlier ones have taken.
 *
 * KEYS     of all requests, in order: `ratelimit:{key}`, which is
 *          a hash of `tokens` and `last_refill` (token bucket), a hash of `start`, `count` and `previous` (windows), or
 *          a list of times, oldest first (log); times in ms of Redis' own clock
 * ARGV     the number of shapes, then for each: algorithm (1 token bucket, 2 fixed window, 3 sliding counters, 4 log), rate,
 *          period in ms, burst, cost; then for each request: how many keys it has, and the number of the shape of each.
 *          A negative number of keys: they are charged, or put back where the cost is negative, without asking whether that goes
 * Returns  for each key: allowed (1 or 0), left, ms until full, ms until a request of this cost can pass. Where one key of a
 *          request has 0, nothing was taken from any of them. At the end: how many keys had something that is not ours
 *
 * What is not ours under a key of ours is replaced: where nobody can tell what was taken, nothing was. Each write renews an expiry: a key that expires says no more than none.
 */
export const LIMITS_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- What is no number that anybody can count with says nothing.
local function number(text)
  local n = tonumber(text)
  if n and n - n == 0 then return n end
end

local repaired = 0

local function read(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if not string.find(reply.err, 'WRONGTYPE') then error(reply.err) end
  redis.call('DEL', key)
  repaired = repaired + 1
  return redis.call(command, key, ...)
end

local function whole_ms(ms) return math.min(1e15, math.max(0, math.ceil(ms - 1e-6))) end
local function text(number) return string.format('%.17g', number) end
local function keep(key, ms) redis.call('PEXPIRE', key, string.format('%.0f', math.max(1000, whole_ms(ms)))) end

local bucket = {}
function bucket.look(key, s)
  local kept = read('HMGET', key, 'tokens', 'last_refill')
  local tokens, last = number(kept[1]), number(kept[2])
  if not tokens or not last then
    if kept[1] or kept[2] then repaired = repaired + 1 end
    tokens, last = s.burst, now
  end
  if now < last then redis.call('HSET', key, 'last_refill', text(now)) end
  -- Nobody owes more than the burst.
  return { level = math.min(s.burst, math.max(-s.burst, tokens) + math.max(0, now - last) * s.rate / s.per) }
end
function bucket.has_room(l, s) return l.level + 1e-9 >= s.cost end
function bucket.take(key, l, s, forced)
  local level = l.level - s.cost
  if s.cost > 0 then level = math.max(forced and -s.burst or 0, level) end
  l.level = math.min(s.burst, level)
  redis.call('HSET', key, 'tokens', text(l.level), 'last_refill', text(now))
  keep(key, (s.burst - math.min(0, l.level)) * s.per / s.rate)
end
function bucket.tell(l, s)
  return math.max(0, math.floor(l.level + 1e-9)), (s.burst - l.level) * s.per / s.rate, (s.cost - l.level) * s.per / s.rate
end

local window = {}
function window.look(key, s)
  local kept = read('HMGET', key, 'start', 'count', 'previous')
  local start = math.floor(now / s.per) * s.per
  local l = { start = number(kept[1]), count = number(kept[2]), previous = number(kept[3]) }
  if not l.start or not l.count or not l.previous or l.count < 0 or l.previous < 0 then
    if kept[1] or kept[2] or kept[3] then repaired = repaired + 1 end
    l = { start = start, count = 0, previous = 0 }
  end
  -- A window is at most full.
  l.count, l.previous = math.min(s.burst, l.count), math.min(s.burst, l.previous)
  if start > l.start then
    l.previous = start - l.start <= s.per and l.count or 0
    l.count = 0
  elseif start < l.start then
    redis.call('HSET', key, 'start', text(start))
  end
  l.start = start
  return l
end
local function used(l, s)
  if s.algorithm == 2 then return l.count end
  return l.previous * (1 - (now - l.start) / s.per) + l.count
end
function window.has_room(l, s) return used(l, s) + s.cost <= s.burst + 1e-9 end
function window.take(key, l, s, forced)
  l.count = math.max(0, l.count + s.cost)
  if forced then l.count = math.min(s.burst, l.count) end
  redis.call('HSET', key, 'start', text(l.start), 'count', text(l.count), 'previous', text(l.previous))
  keep(key, l.start + (s.algorithm == 2 and 1 or 2) * s.per - now)
end
function window.tell(l, s)
  local empty, room = 0, l.start + s.per
  if s.algorithm == 2 then
    if l.count > 0 then empty = l.start + s.per end
  else
    if l.count > 0 then empty = l.start + 2 * s.per elseif l.previous > 0 then empty = l.start + s.per end
    local left = s.burst - l.count - s.cost
    if left >= 0 then room = l.start + s.per * (1 - left / l.previous)
    else room = l.start + s.per + math.max(0, s.per * (1 - (s.burst - s.cost) / l.count)) end
  end
  return math.max(0, math.floor(s.burst - used(l, s) + 1e-9)), empty - now, room - now
end

local log = {}
-- Undefined where there is nothing; what is no time takes the whole log with it.
local function time_at(key, at)
  local kept = redis.call('LINDEX', key, at)
  if not kept then return nil end
  local n = number(kept)
  if not n then
    redis.call('DEL', key)
    repaired = repaired + 1
  end
  return n
end
function log.look(key, s)
  read('LLEN', key)
  local at, last = -1, time_at(key, -1)
  while last and last > now do
    redis.call('LSET', key, at, text(now))
    at = at - 1
    last = time_at(key, at)
  end
  local first = time_at(key, 0)
  while first and first <= now - s.per do
    redis.call('LPOP', key)
    first = time_at(key, 0)
  end
  return { key = key, size = redis.call('LLEN', key) }
end
function log.has_room(l, s) return l.size + s.cost <= s.burst end
function log.take(key, l, s, forced)
  local cost = forced and math.min(s.cost, s.burst - l.size) or s.cost
  for _ = 1, cost do redis.call('RPUSH', key, text(now)) end
  for _ = 1, math.min(l.size, -cost) do redis.call('RPOP', key) end
  l.size = math.max(0, l.size + cost)
  keep(key, s.per)
end
function log.tell(l, s)
  if l.size == 0 then return s.burst, 0, s.per - now end
  local leaving = math.min(l.size, l.size + s.cost - s.burst)
  local room = number(redis.call('LINDEX', l.key, leaving - 1) or 0) or 0
  return math.max(0, s.burst - l.size), (number(redis.call('LINDEX', l.key, -1)) or now) + s.per - now, room + s.per - now
end

local algorithms, shapes, at = { bucket, window, window, log }, {}, 2
for i = 1, tonumber(ARGV[1]) do
  local s = { algorithm = tonumber(ARGV[at]), rate = tonumber(ARGV[at + 1]), per = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]), cost = tonumber(ARGV[at + 4]) }
  s.by = algorithms[s.algorithm]
  shapes[i] = s
  at = at + 5
end

local replies, key = {}, 0
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  local forced, all, looked = count < 0, true, {}
  for i = 1, math.abs(count) do
    local s = shapes[tonumber(ARGV[at + i])]
    local l = s.by.look(KEYS[key + i], s)
    l.s, l.allowed = s, forced or s.cost <= 0 or s.by.has_room(l, s)
    all = all and l.allowed
    looked[i] = l
  end
  for i, l in ipairs(looked) do
    if all then l.s.by.take(KEYS[key + i], l, l.s, forced) end
    local left, full, room = l.s.by.tell(l, l.s)
    local n = 4 * (key + i)
    replies[n - 3], replies[n - 2], replies[n - 1] = l.allowed and 1 or 0, left, whole_ms(full)
    replies[n] = l.allowed and 0 or math.max(1, whole_ms(room))
  end
  key = key + #looked
  at = at + #looked + 1
end
replies[4 * #KEYS + 1] = repaired
return replies
`;
