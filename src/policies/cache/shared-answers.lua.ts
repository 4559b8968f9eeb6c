/**
 * Finds an answer, and the generation of its URI, which is made where there is none. A purge deletes the generation, so that
 * what is there of an earlier one is dead, and what is on its way is not written. KEYS: generation, answer. ARGV: a new
 * generation, its time in ms, the largest value that is read.
 */
export const FIND_SCRIPT = `
local generation = redis.call('GET', KEYS[1])
if not generation then
  -- Where Redis is full there is none, and nothing is written.
  if redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]).err then return { '' } end
  return { ARGV[1] }
end
if redis.call('STRLEN', KEYS[2]) > tonumber(ARGV[3]) then return { generation } end
return { generation, redis.call('GET', KEYS[2]), redis.call('PTTL', KEYS[2]) }
`;

/**
 * Writes answers, unless the generation is another one by now, which then lives as long as they do. KEYS: generation,
 * answers. ARGV: the generation, its time and theirs in ms, and their values.
 */
export const KEEP_SCRIPT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[3]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`;

/**
 * Ends the freshness of all answers of a URI: the number behind its generation grows. Where that cannot be written they are
 * ended altogether. KEYS: generation.
 */
export const AGE_SCRIPT = `
local generation = redis.call('GET', KEYS[1])
if not generation then return 0 end
local id, count = generation:match('^(.*)%.(%d+)$')
local set = id and redis.pcall('SET', KEYS[1], id .. '.' .. (count + 1), 'KEEPTTL')
if not id or set.err then redis.call('DEL', KEYS[1]) end
return 1
`;

/**
 * Reads the generation of everything, which is made where there is none, how often was purged by tag or prefix, how often by
 * prefix, and some fields. KEYS: the hash. ARGV: a new generation, its time in ms, fields.
 */
export const ENDS_SCRIPT = `
local values = redis.call('HMGET', KEYS[1], 'all', 'purges', 'prefixes', unpack(ARGV, 3))
if not values[1] then
  local set = redis.pcall('HSET', KEYS[1], 'all', ARGV[1])
  values[1] = ARGV[1]
  if type(set) == 'table' and set.err then values[1] = '' end
end
if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then redis.pcall('PEXPIRE', KEYS[1], ARGV[2]) end
return values
`;

/** Purges a tag: its field holds when it was purged last, as the number of the purge. KEYS: the hash. ARGV: its field. */
export const END_TAG_SCRIPT = `
local number = redis.call('HINCRBY', KEYS[1], 'purges', 1)
return redis.call('HSET', KEYS[1], ARGV[1], number)
`;

/**
 * Purges by a prefix: the last ones are kept in a ring, each with the number of its purge, and the number of the last one that
 * the ring has lost. KEYS: the hash. ARGV: what is kept of the prefix, the size of the ring.
 */
export const END_PREFIX_SCRIPT = `
local number = redis.call('HINCRBY', KEYS[1], 'purges', 1)
local field = 'p' .. (redis.call('HINCRBY', KEYS[1], 'prefixes', 1) - 1) % ARGV[2]
local lost = redis.call('HGET', KEYS[1], field)
if lost then redis.call('HSET', KEYS[1], 'lost', lost:match('^%d*')) end
return redis.call('HSET', KEYS[1], field, number .. ' ' .. ARGV[1])
`;
