/**
 * The token bucket as one script: the same operations in the same order as `token-bucket.ts`, for each key by itself.
 *
 * KEYS     `ratelimit:{key}`, each a hash of `tokens` and `last_refill` (ms of Redis' own clock)
 * ARGV     rate, period in ms, burst, cost (negative to put tokens back); the same for all keys
 * Returns  for each key: allowed (1 or 0), whole tokens left, ms until full, ms until a request of this cost can pass; and at the end
 *          how many keys had something that is no bucket
 *
 * Only a call that passes writes, and each write renews an expiry that is no shorter than a full refill: a key
 * that expires was full. The floor of one second keeps tiny buckets from expiring within their own period.
 * A refusal writes only when the clock went backwards, so that nobody waits for it to catch up.
 *
 * What is no bucket under a key of ours is replaced: where nobody can tell what was taken, a full one begins. A key that cannot be read or written fails a call of its own; among
 * several it gets -1 for allowed, and nothing was taken: it says nothing about the others.
 */
export const TOKEN_BUCKET_SCRIPT = `
local rate, per, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local call = #KEYS > 1 and redis.pcall or redis.call

local function ms_until(missing)
  return math.min(1e15, math.max(0, math.ceil(missing * per / rate - 1e-6)))
end

-- What is no number that anybody can count with says nothing.
local function number(text)
  local n = tonumber(text)
  if n and n - n == 0 then return n end
end

local repaired = 0

local function take(key)
  local kept = redis.pcall('HMGET', key, 'tokens', 'last_refill')
  if kept.err then
    if not string.find(kept.err, 'WRONGTYPE') then
      if #KEYS == 1 then error(kept.err) end
      return -1, 0, 0, 0
    end
    redis.call('DEL', key)
    kept = {}
    repaired = repaired + 1
  end
  local tokens, last = number(kept[1]), number(kept[2])
  if not tokens or not last then
    if kept[1] or kept[2] then repaired = repaired + 1 end
    tokens, last = burst, now
  end
  -- Nobody owes more than the burst.
  local level = math.min(burst, math.max(-burst, tokens) + math.max(0, now - last) * rate / per)
  local allowed, retry = 1, 0
  if cost <= 0 or level + 1e-9 >= cost then
    level = cost > 0 and math.max(0, level - cost) or math.min(burst, level - cost)
    local set = call('HSET', key, 'tokens', string.format('%.17g', level), 'last_refill', string.format('%.0f', now))
    if type(set) == 'table' then return -1, 0, 0, 0 end
    call('PEXPIRE', key, string.format('%.0f', math.max(1000, ms_until(burst - math.min(0, level)))))
  else
    allowed, retry = 0, math.max(1, ms_until(cost - level))
    if now < last then call('HSET', key, 'last_refill', string.format('%.0f', now)) end
  end
  return allowed, math.max(0, math.floor(level + 1e-9)), ms_until(burst - level), retry
end

local replies = {}
for i, key in ipairs(KEYS) do
  replies[4 * i - 3], replies[4 * i - 2], replies[4 * i - 1], replies[4 * i] = take(key)
end
replies[4 * #KEYS + 1] = repaired
return replies
`;
