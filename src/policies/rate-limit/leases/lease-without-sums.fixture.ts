/**
 * The script of leases of gateways that keep no sums, as they still run it while a deployment goes from one version to the next. It
 * looks at the fields of all replicas at each call, and does not know what `reserved` is.
 */
export const SCRIPT_WITHOUT_SUMS = `
local rate, per, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local mine, number, ttl, replicas = 'l:' .. ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local cost, asked, want = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local kept, returned, owed = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local key = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function ms_until(missing)
  return math.min(1e15, math.max(0, math.ceil(missing * per / rate - 1e-6)))
end

-- What is no number that anybody can count with says nothing.
local function finite(text)
  local n = tonumber(text)
  if n and n - n == 0 then return n end
end

local tokens, last, had
local repaired, seen = 0, false
local others, lapsed, own, lapse = 0, 0, 0, 0
local gone = {}
local fields = redis.pcall('HGETALL', key)
if fields.err then
  if not string.find(fields.err, 'WRONGTYPE') then error(fields.err) end
  redis.call('DEL', key)
  fields = {}
  repaired = 1
end
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'tokens' then tokens, seen = finite(value), true
  elseif name == 'last_refill' then last, seen = finite(value), true
  elseif string.sub(name, 1, 2) == 'l:' then
    local seq, reserved, till = string.match(value, '^(%S+) (%S+) (%S+)$')
    seq, reserved, till = finite(seq), finite(reserved), finite(till)
    -- Nobody has reserved less than nothing, or more than there ever was.
    if not (seq and reserved and till) or reserved < 0 or reserved > 1e9 then
      gone[#gone + 1] = name
      repaired = repaired + 1
    elseif name == mine then
      if seq >= number and till > now then
        if till > now + ttl then redis.call('HSET', key, name, string.format('%.0f %.17g %.0f', seq, reserved, now + ttl)) end
        return redis.error_reply('STALE a later call of this replica came first')
      end
      own, had = reserved, true
    elseif till <= now then
      lapsed, lapse = lapsed + reserved, math.max(lapse, till)
      gone[#gone + 1] = name
    else
      others = others + reserved
      -- The clock went back.
      if till > now + ttl then
        redis.call('HSET', key, name, string.format('%.0f %.17g %.0f', seq, reserved, now + ttl))
      end
    end
  end
end

if not tokens or not last then
  if seen then repaired = repaired + 1 end
  tokens, last = burst, now
end
-- Nobody owes more than the burst, and what is reserved is not in the bucket.
local level = math.max(-burst, math.min(tokens, math.max(0, burst - others - lapsed - own)))
local function refill(till, room)
  if till > last then level = level + (till - last) * rate / per end
  level = math.min(math.max(0, room), level)
  last = math.max(last, till)
end
kept = math.min(kept, own)
returned = math.min(returned, own - kept) + owed
local went_back = now < last
if went_back then last = now end
if lapsed > 0 then refill(lapse, burst - others - own - lapsed) end
refill(now, burst - others - own)
level = math.max(-burst, math.min(math.max(0, burst - others - kept), level + returned))

local passed, block, retry = 0, 0, 0
if asked > 0 then passed = math.max(0, math.min(asked, math.floor((level + 1e-9) / cost))) end
level = level - passed * cost
if passed == asked then
  block = math.floor(math.min(want, level / (2 * replicas)))
  if block < 2 * cost then block = 0 end
  level = level - block
else
  retry = math.max(1, ms_until(cost - level))
end

local reserved = kept + block
for _, name in ipairs(gone) do redis.call('HDEL', key, name) end
if reserved > 0 then
  redis.call('HSET', key, mine, string.format('%.0f %.17g %.0f', number, reserved, now + ttl))
elseif had then redis.call('HDEL', key, mine) end
if passed > 0 or block > 0 or returned ~= 0 or had or #gone > 0 or went_back then
  redis.call('HSET', key, 'tokens', string.format('%.17g', level), 'last_refill', string.format('%.0f', now))
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(1000, ms_until(2 * burst)) + ttl))
end
return { passed, block, math.floor(level + 1e-9), retry, math.floor(kept), repaired }
`;
