/**
 * The record of a key is a hash: `state` (`claimed`, `sent`, `unknown`, `done`), `owner`, `head` and `body` (digests of the
 * request), `until` (end of the lease, in ms of Redis' clock), `answer`. A value of another type is none of ours, and
 * makes room. One key for each script, so that they run on a cluster as well.
 */
const PRELUDE = `
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** ARGV: owner, head, body, lease in ms, life in ms, whether what nobody knows the end of may run again. */
export const CLAIM_SCRIPT = `${PRELUDE}
local owner, head, body, lease, life = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local found = redis.call('HMGET', key, 'state', 'head', 'body', 'until', 'answer')
local state, at = found[1], now()
if state == 'done' and found[5] then return {'done', found[2] or '', found[3] or '', 0, found[5]} end
if state == 'claimed' or state == 'sent' then
  local left = (tonumber(found[4]) or 0) - at
  -- A clock that was set back makes nobody wait for longer than a lease; who lives has extended it by then.
  if left > 0 then return {'running', found[2] or '', found[3] or '', math.min(left, lease)} end
end
if state == 'sent' or state == 'unknown' or state == 'done' then
  local differs = found[2] ~= head or (found[3] ~= '' and body ~= '' and found[3] ~= body)
  if ARGV[6] ~= '1' or differs then
    redis.call('HSET', key, 'state', 'unknown')
    return {'unknown', found[2] or '', found[3] or ''}
  end
end
redis.call('DEL', key)
redis.call('HSET', key, 'state', 'claimed', 'owner', owner, 'head', head, 'body', body, 'until', at + lease)
redis.call('PEXPIRE', key, life)
return {'claimed'}`;

/** ARGV: owner, head, body, lease in ms, life in ms, state, answer. */
export const WRITE_SCRIPT = `${PRELUDE}
local found = redis.call('HMGET', key, 'owner', 'state')
if found[1] and found[1] ~= ARGV[1] then return 0 end
-- Whoever has heard nothing of it takes it for lost, and says so later.
if found[2] == 'done' then return 1 end
redis.call('HSET', key, 'state', ARGV[6], 'owner', ARGV[1], 'head', ARGV[2], 'body', ARGV[3], 'until', now() + ARGV[4])
if ARGV[6] == 'done' then redis.call('HSET', key, 'answer', ARGV[7]) end
redis.call('PEXPIRE', key, ARGV[5])
return 1`;

/** ARGV: owner. */
export const RELEASE_SCRIPT = `${PRELUDE}
if redis.call('HGET', key, 'owner') == ARGV[1] then redis.call('DEL', key) end
return 1`;
