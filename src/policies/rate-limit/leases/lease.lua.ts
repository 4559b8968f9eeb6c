/**
 * A token bucket out of which replicas reserve tokens, as one script. The bucket is that of `token-bucket.lua.ts`: `tokens`
 * and `last_refill`. Beside them each replica that holds a reserve has a field, `l:{replica}`: the number of its call, the
 * tokens, and until when; and `reserved` has the sums of all of them, by until when they last: a few moments, to which each
 * reserve is rounded up. A call goes by the sums and its own field, however many replicas there are.
 *
 * KEYS     `ratelimit:{key}`
 * ARGV     rate, period in ms, burst; replica, number of the call, ms that a reserve lasts, live replicas;
 *          cost of each of the requests that wait, how many of them; tokens that the replica would like to reserve,
 *          that it has left of its reserve and keeps, that it gives back of it; that belong back beside
 *          those (negative: what was spent beyond what it had)
 * Returns  requests that pass, tokens reserved, whole tokens left, ms until a request of this cost can pass, tokens kept,
 *          fields that were not ours or that nobody can count with
 *
 * Tokens leave the bucket before anybody may use them, and the bucket does not fill up with the room of tokens that are
 * reserved: what is in the bucket and with the replicas is never more than the burst. A reserve that has lapsed is spent,
 * as far as anybody knows: once the bucket has forgotten it, nothing of it is kept or given back. Requests that wait come first, and each is met as a whole or not at all; a reserve is a part of
 * what is left then, so small that all replicas could have one. A call that was overtaken by a later one of the same replica
 * does nothing: what it reserved nobody would count. What is not ours under a key of ours is replaced: where nobody can tell what was
 * taken, a full bucket begins, without what is reserved.
 *
 * The sums are those of all fields as long as nobody else writes here: gateways of versions that do not know of sums, and the scripts
 * of limits that are not leased. Those write `last_refill` as a whole number, this one with `.0` at its end. Where that is missing,
 * where a reserve has lapsed, and where anything is not as it should be, all fields are looked at and the sums begin anew.
 */
export const LEASE_SCRIPT = `
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

local repaired, walked = 0, false
local others, lapsed, own, lapse, had = 0, 0, 0, 0, false
local gone = {}
-- What is reserved until each of the next moments, width ms apart, by the number of the moment.
local width, sums = math.ceil(ttl / 8), {}
local latest = math.ceil((now + ttl) / width)

local function reserve(text)
  local seq, reserved, till = string.match(text, '^(%S+) (%S+) (%S+)$')
  seq, reserved, till = finite(seq), finite(reserved), finite(till)
  -- Nobody has reserved less than nothing, or more than there ever was.
  if seq and reserved and till and reserved >= 0 and reserved <= 1e9 then return seq, reserved, till end
end

local function hold(reserved, till)
  local at = math.ceil(till / width)
  sums[at] = (sums[at] or 0) + reserved
end

-- Looks at all that hold some: where somebody else has written, a reserve has lapsed, or the clock went back.
local function walk()
  walked = true
  others, own, had, sums = 0, 0, false, {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name = fields[i]
    if string.sub(name, 1, 2) == 'l:' then
      local seq, reserved, till = reserve(fields[i + 1])
      if not seq then
        gone[#gone + 1] = name
        repaired = repaired + 1
      else
        local ahead = till > latest * width
        if ahead then
          till = latest * width
          redis.call('HSET', key, name, string.format('%.0f %.17g %.0f', seq, reserved, till))
        end
        if name == mine then
          if seq >= number and till > now then return false end
          own, had = reserved, true
        elseif till <= now then
          lapsed, lapse = lapsed + reserved, math.max(lapse, till)
          gone[#gone + 1] = name
        else
          others = others + reserved
          hold(reserved, till)
        end
      end
    end
  end
  return true
end

-- Goes by the sums, without a look at anybody else. Says no where they cannot be gone by.
local function sum(last, text, held)
  -- Who does not keep the sums does not write the moment in this way.
  if not last or string.sub(last, -2) ~= '.0' then return false end
  local read = 0
  for moment, reserved in string.gmatch(text or '', '(%S+) (%S+)') do
    read = read + #moment + #reserved + 2
    local at, tokens = finite(moment), finite(reserved)
    if not at or not tokens or tokens < 0 then return false end
    if at > latest * width or at % width ~= 0 or at <= now and tokens > 1e-6 then return false end
    if at > now then
      others = others + tokens
      sums[at / width] = tokens
    end
  end
  if text and read ~= #text + 1 then return false end
  if not held then return true end
  local seq, reserved, till = reserve(held)
  if not seq or till <= now or till % width ~= 0 or (sums[till / width] or 0) + 1e-6 < reserved then return false end
  own, had = reserved, true
  others = math.max(0, others - own)
  sums[till / width] = math.max(0, sums[till / width] - own)
  return true, seq
end

local fields = redis.pcall('HMGET', key, 'tokens', 'last_refill', 'reserved', mine)
if fields.err then
  if not string.find(fields.err, 'WRONGTYPE') then error(fields.err) end
  redis.call('DEL', key)
  fields = {}
  repaired = 1
end
local seen = fields[1] or fields[2]
local tokens, last = finite(fields[1]), finite(fields[2])
local summed, latest_call = sum(fields[2], fields[3], fields[4])
if summed and latest_call and latest_call >= number or not summed and not walk() then
  return redis.error_reply('STALE a later call of this replica came first')
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
local till = latest * width
if reserved > 1e-6 then hold(reserved, till) end
local texts = {}
for at, tokens in pairs(sums) do
  if tokens > 1e-6 then texts[#texts + 1] = string.format('%.0f %.17g', at * width, tokens) end
end
if #texts == 0 and fields[3] then gone[#gone + 1] = 'reserved' end
if reserved <= 1e-6 and had then gone[#gone + 1] = mine end
if passed > 0 or block > 0 or returned ~= 0 or had or #gone > 0 or went_back or walked and seen then
  local set = { 'tokens', string.format('%.17g', level), 'last_refill', string.format('%.0f.0', now) }
  if #texts > 0 then
    set[5], set[6] = 'reserved', table.concat(texts, ' ')
  end
  if reserved > 1e-6 then
    set[#set + 1] = mine
    set[#set + 1] = string.format('%.0f %.17g %.0f', number, reserved, till)
  end
  for i = 1, #gone, 1000 do redis.call('HDEL', key, unpack(gone, i, math.min(#gone, i + 999))) end
  redis.call('HSET', key, unpack(set))
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(1000, ms_until(2 * burst)) + ttl + width))
end
return { passed, block, math.floor(level + 1e-9), retry, math.floor(kept), repaired }
`;
