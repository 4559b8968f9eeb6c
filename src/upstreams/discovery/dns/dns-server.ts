import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIP, isIPv6 } from 'node:net';
import { decode, encode, type Answer, type DecodedPacket, type Packet, type Question } from 'dns-packet';
import { Unknown } from '../discovery-source.ts';

/** What is asked about a name. */
export type RecordType = 'A' | 'AAAA' | 'SRV';

/** One name server. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** One question to one server. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: RecordType;
  readonly transport: 'udp' | 'tcp';
  /** How long the server has, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A whole answer, and how its server judged the question: `NOERROR`, `NXDOMAIN`, `SERVFAIL` … */
export type DnsAnswer = DecodedPacket & { readonly rcode: string };

const DNS_PORT = 53;
/** What passes every network without fragments (RFC 9715). */
const UDP_PAYLOAD = 1232;
const LENGTH_BYTES = 2;
const ID_BYTES = 2;
const MAX_ID = 65_536;
/** Servers that are older than EDNS say so (RFC 6891 section 7). */
const NO_EDNS: ReadonlySet<string> = new Set(['FORMERR', 'NOTIMP']);

/** Reads `10.0.0.2`, `10.0.0.2:53`, `fd00::2` or `[fd00::2]:53`. */
export function dnsServer(text: string): DnsServer {
  if (isIPv6(text)) return { address: text, port: DNS_PORT };
  const [, six, four = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { address: six ?? four, port: port === undefined ? DNS_PORT : Number(port) };
}

/**
 * Asks one server. An answer that does not fit into a datagram is asked for again over TCP as a whole, and nothing of the
 * part is used (RFC 2181 section 9).
 *
 * @throws {Unknown} when it does not answer in time.
 */
export async function askServer(server: DnsServer, question: DnsQuestion): Promise<DnsAnswer> {
  const answer = await exchange(server, question, true);
  return NO_EDNS.has(answer.rcode) ? exchange(server, question, false) : answer;
}

async function exchange(server: DnsServer, question: DnsQuestion, edns: boolean): Promise<DnsAnswer> {
  if (question.transport === 'tcp') return overTcp(server, question, edns);
  const answer = await overUdp(server, question, edns);
  return answer.flag_tc ? overTcp(server, question, edns) : answer;
}

function queryOf({ name, type }: DnsQuestion, edns: boolean): Packet & { readonly id: number } {
  return {
    type: 'query',
    id: randomInt(MAX_ID),
    flags: 0x01_00,
    questions: [{ type, name }],
    ...(edns && {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: UDP_PAYLOAD,
          flags: 0,
          extendedRcode: 0,
          ednsVersion: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  };
}

// A port of its own for each question, and only what comes from the server: both make forged answers hard (RFC 5452).
function overUdp({ address, port }: DnsServer, question: DnsQuestion, edns: boolean): Promise<DnsAnswer> {
  const query = queryOf(question, edns);
  return timed(question, (resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.unref();
    socket.on('error', reject);
    // What is no answer to the question may be a forgery: the real one may still come.
    socket.on('message', (message) => {
      // Before it is read: whoever guesses ids sends many.
      if (message.length < ID_BYTES || message.readUInt16BE(0) !== query.id) return;
      const answer = read(message);
      if (answer !== undefined && isAnswer(answer, query)) resolve(answer);
    });
    socket.connect(port, address, () => socket.send(encode(query)));
    return () => socket.close();
  });
}

function overTcp({ address, port }: DnsServer, question: DnsQuestion, edns: boolean): Promise<DnsAnswer> {
  const query = queryOf(question, edns);
  return timed(question, (resolve, reject) => {
    const socket = connect({ host: address, port });
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before the answer was whole')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) return;
      const answer = read(received.subarray(LENGTH_BYTES, end));
      if (answer === undefined || !isAnswer(answer, query)) reject(new Error('no answer to the question'));
      else if (answer.flag_tc) reject(new Error('truncated over TCP'));
      else resolve(answer);
    });
    const message = encode(query);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    return () => socket.destroy();
  });
}

type Begin = (resolve: (answer: DnsAnswer) => void, reject: (error: Error) => void) => () => void;

function timed({ timeoutMs, signal }: DnsQuestion, begin: Begin): Promise<DnsAnswer> {
  return new Promise((resolve, reject) => {
    let end = (): void => undefined;
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', given);
      end();
      end = () => undefined;
    };
    const fail = (error: Error): void => {
      settle();
      reject(new Unknown((error as NodeJS.ErrnoException).code ?? error.message, { cause: error }));
    };
    const given = (): void => fail(new Error('given up'));
    const timer = setTimeout(() => fail(new Error('timeout')), timeoutMs).unref();
    signal.addEventListener('abort', given, { once: true });
    end = begin((answer) => {
      settle();
      resolve(answer);
    }, fail);
  });
}

function read(message: Buffer): DnsAnswer | undefined {
  try {
    const answer = decode(message) as DnsAnswer;
    // Of a message that ends too soon, the decoder makes addresses such as `10.0.undefined.undefined`.
    const records = [...(answer.answers ?? []), ...(answer.additionals ?? [])];
    return records.every(isWhole) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(record: Answer): boolean {
  if (record.type === 'A') return isIP(record.data) === 4;
  return record.type !== 'AAAA' || isIP(record.data) === 6;
}

function isAnswer(answer: DnsAnswer, query: Packet & { readonly id: number }): boolean {
  const [asked] = query.questions as readonly Question[];
  const [echoed, ...more] = answer.questions ?? [];
  if (answer.type !== 'response' || answer.id !== query.id || asked === undefined) return false;
  if (echoed === undefined) return NO_EDNS.has(answer.rcode);
  return more.length === 0 && echoed.type === asked.type && sameName(echoed.name, asked.name);
}

/** Whether two names are the same: neither case nor a dot at the end counts (RFC 4343). */
export function sameName(a: string, b: string): boolean {
  return plainName(a) === plainName(b);
}

/** A name as it is compared. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') && lower !== '.' ? lower.slice(0, -1) : lower;
}
