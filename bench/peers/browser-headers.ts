/** What a browser sends with a page's own request for data, `Host` included 20 fields. */
export const BROWSER_HEADERS = {
  connection: 'keep-alive',
  'sec-ch-ua-platform': '"Windows"',
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
  'sec-ch-ua-mobile': '?0',
  accept: 'application/json, text/plain, */*',
  'x-requested-with': 'XMLHttpRequest',
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  referer: 'https://shop.example.com/catalogue/shoes?page=2&sort=price&colour=blue',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9,de-DE;q=0.8,de;q=0.7',
  'cache-control': 'no-cache',
  pragma: 'no-cache',
  dnt: '1',
  priority: 'u=1, i',
  'x-client-version': 'web-8.14.2',
  cookie:
    'consent=v2.aGVsbG8; session=7d1f0c3a9b5e4f62a8c1d0e3b7f64921; _ga=GA1.1.1873645120.1758003214; theme=dark; cart=c-5531904',
};
