/**
 * Revokes a key, once; its record stays as long as it is said, so that its use is known for what it is.
 *
 * KEYS     the record
 * ARGV     now, until when it stays, the reason or nothing
 * Returns  1, 0 where it was revoked before, -1 without a record
 */
export const REVOKE_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HGET', KEYS[1], 'status') == 'revoked' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'revoked', 'revokedAt', ARGV[1])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'reason', ARGV[3]) end
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
`;

/**
 * Notes that another key has come in place of one, which goes on for a while: of two who rotate, one comes too late.
 *
 * KEYS     the record
 * ARGV     when it ends, until when its record stays, the hash of the new key
 * Returns  1, 0 where it was rotated before, -1 without a record, -2 where it is not active
 */
export const ROTATE_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HGET', KEYS[1], 'status') ~= 'active' then return -2 end
if redis.call('HEXISTS', KEYS[1], 'rotatedTo') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'expiresAt', ARGV[1], 'rotatedTo', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
`;

/**
 * Changes what a key says of its holder.
 *
 * KEYS     the record
 * ARGV     until when the record stays, 0 for ever, the empty text for no change of that; fields in pairs, the empty text for none
 * Returns  1, -1 without a record, -2 where it is revoked
 */
export const CHANGE_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HGET', KEYS[1], 'status') == 'revoked' then return -2 end
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
if ARGV[1] == '0' then redis.call('PERSIST', KEYS[1])
elseif ARGV[1] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[1]) end
return 1
`;
