const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const TIME = String.raw`(\d\d):(\d\d):(\d\d)`;
const MONTH = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const FIXDATE = new RegExp(String.raw`^${DAY}, (\d\d) ${MONTH} (\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(String.raw`^${LONG_DAY}, (\d\d)-${MONTH}-(\d\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(String.raw`^${DAY} ${MONTH} ([ \d]\d) ${TIME} (\d{4})$`);

/**
 * Reads a date of HTTP (RFC 9110 section 5.6.7) in one of its three forms, and in no other: a lenient reader would
 * find a date in `0`, in another time zone, and in the middle of something else.
 *
 * @returns ms since the epoch; undefined for what is no such date.
 */
export function parseHttpDate(text: string): number | undefined {
  const fixed = FIXDATE.exec(text);
  if (fixed !== null) return timeOf([fixed[3], fixed[2], fixed[1]], fixed.slice(4));
  const short = RFC850.exec(text);
  if (short !== null) return timeOf([fullYear(Number(short[3])), short[2], short[1]], short.slice(4));
  const asc = ASCTIME.exec(text);
  return asc === null ? undefined : timeOf([asc[6], asc[1], asc[2]], asc.slice(3, 6));
}

// What seems to be more than 50 years ahead is the most recent past year with the same last digits.
function fullYear(digits: number): number {
  const thisYear = new Date().getUTCFullYear();
  const year = thisYear - (thisYear % 100) + digits;
  return year > thisYear + 50 ? year - 100 : year;
}

function timeOf(
  [year, month, day]: readonly (string | number | undefined)[],
  clock: readonly (string | undefined)[],
): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = clock.map(Number);
  const midnight = Date.UTC(Number(year), MONTHS.indexOf(String(month)) / 3, Number(day));
  // A 30th of February would roll over into another month.
  const isReal =
    new Date(midnight).getUTCDate() === Number(day) && hours < 24 && minutes < 60 && seconds <= 60;
  return isReal ? midnight + ((hours * 60 + minutes) * 60 + seconds) * 1000 : undefined;
}
