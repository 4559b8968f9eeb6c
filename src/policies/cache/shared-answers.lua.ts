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
 * Reads the generation of everything, which is made where there is none, how many tags were purged, and how often each of some.
 * KEYS: the hash. ARGV: a new generation, its time in ms, fields.
 */
export const GENERATIONS_SCRIPT = `
local values = redis.call('HMGET', KEYS[1], 'all', 'purges', unpack(ARGV, 3))
if not values[1] then
  local set = redis.pcall('HSET', KEYS[1], 'all', ARGV[1])
  values[1] = ARGV[1]
  if type(set) == 'table' and set.err then values[1] = '' end
end
if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then redis.pcall('PEXPIRE', KEYS[1], ARGV[2]) end
return values
`;

/** Purges a tag. KEYS: the hash. ARGV: its field. */
export const END_TAG_SCRIPT = `
redis.call('HINCRBY', KEYS[1], 'purges', 1)
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
`;
