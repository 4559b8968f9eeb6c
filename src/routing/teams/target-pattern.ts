import { BlockList, isIP } from 'node:net';

const NAME = /^(?:\*\.)?[A-Za-z0-9_{](?:[A-Za-z0-9_.{}-]*[A-Za-z0-9_}])?\.?$/;

interface TargetPattern {
  readonly host: string;
  /** Bits of a CIDR block. */
  readonly bits: number | undefined;
  readonly port: string | undefined;
}

/** What is wrong with a pattern of addresses; undefined for nothing. */
export function targetPatternFault(text: string): string | undefined {
  const { host, bits, port } = parsed(text);
  const family = isIP(host);
  const isPort = port === undefined || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535);
  const isBits = bits === undefined || (family !== 0 && bits <= (family === 6 ? 128 : 32));
  if (isPort && isBits && (family !== 0 || NAME.test(host))) return undefined;
  return 'expected a name, *.example.internal, an address or a CIDR block, and a port where it is for one only: 10.1.0.0/16, orders.internal:8080, [fd00::]/8';
}

/** Whether a target is one that a pattern is for. Names are compared as they are written: nobody is asked for their addresses. */
export function targetFits(text: string, host: string, port: string | undefined): boolean {
  const pattern = parsed(text);
  if (pattern.port !== undefined && pattern.port !== port) return false;
  const family = isIP(host);
  const wanted = isIP(pattern.host);
  if (wanted !== 0) return family === wanted && isWithin(pattern, host, family);
  if (family !== 0) return false;
  const [own, said] = [plain(pattern.host), plain(host)];
  return own.startsWith('*.') ? said.endsWith(own.slice(1)) && said.length >= own.length : said === own;
}

function isWithin({ host, bits }: TargetPattern, address: string, family: number): boolean {
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(host, bits ?? (family === 6 ? 128 : 32), type);
  return list.check(address, type);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function parsed(text: string): TargetPattern {
  const bracketed = /^\[([^\]]*)\](?:\/(\d{1,3}))?(?::(.*))?$/.exec(text);
  const bare = isIP(text.split('/')[0] ?? '') === 6 ? /^([^/]*)(?:\/(\d{1,3}))?()$/.exec(text) : undefined;
  const [, host = text, bits, port] =
    bracketed ?? bare ?? /^([^/:]*)(?:\/(\d{1,3}))?(?::(.*))?$/.exec(text) ?? [];
  return {
    host,
    bits: bits === undefined ? undefined : Number(bits),
    port: port === '' && bare ? undefined : port,
  };
}
