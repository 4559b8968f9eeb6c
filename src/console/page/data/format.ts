const DASH = '–';

/** A number with three digits that count: `0.12`, `4.5`, `38`, `1.2 k`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  if (value >= 999_500) return `${digits(value / 1e6)} M`;
  if (value >= 9_995) return `${digits(value / 1e3)} k`;
  return digits(value);
}

function digits(value: number): string {
  if (value === 0) return '0';
  if (value < 0.01) return '<0.01';
  if (value < 1) return String(Number(value.toFixed(2)));
  if (value < 10) return String(Number(value.toFixed(1)));
  return grouped(Math.round(value));
}

/** A whole number, with thin spaces between thousands. */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** A share from 0 to 1 in percent. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  const hundredfold = value * 100;
  if (hundredfold === 0) return '0\u202f%';
  if (hundredfold < 0.1) return '<0.1\u202f%';
  return `${hundredfold < 10 ? Number(hundredfold.toFixed(1)) : Math.round(hundredfold)}\u202f%`;
}

/** A duration in ms with its unit: `0.8 ms`, `41 ms`, `1.2 s`, `3 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return DASH;
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 99_950) return `${Number((ms / 1000).toFixed(1))} s`;
  if (ms < 5_940_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** Bytes: `512 B`, `1.2 kB`, `184 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const unit =
    value < 1e6 ? (['kB', 1e3] as const) : value < 1e9 ? (['MB', 1e6] as const) : (['GB', 1e9] as const);
  return `${digits(value / unit[1])} ${unit[0]}`;
}

/** The time of day of a moment, with its date where it is another day. */
export function clock(at: string | number, now = Date.now()): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return DASH;
  const time = date.toTimeString().slice(0, 8);
  const isToday = new Date(now).toDateString() === date.toDateString();
  // The day of the reader, as the time is: Sweden writes it as ISO 8601 does.
  return isToday ? time : `${date.toLocaleDateString('sv-SE')} ${time}`;
}

/** How long ago: `4 s ago`, `2 min ago`. */
export function ago(at: string | number | null | undefined, now = Date.now()): string {
  if (at === null || at === undefined) return 'never';
  const ms = now - new Date(at).getTime();
  return ms < 2000 ? 'just now' : `${duration(ms < 60_000 ? Math.round(ms / 1000) * 1000 : ms)} ago`;
}
