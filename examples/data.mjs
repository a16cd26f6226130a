// What the example's templates render.

/** Pages, by template. */
export const PAGES = ['products', 'article', 'mail', 'dashboard', 'search', 'error'];

const NAMES = ['Lamp', 'Chair', 'Desk', 'Shelf', 'Clock', 'Mirror', 'Rug', 'Vase'];

export const DATA = {
  site: {
    name: 'Nordhaus',
    owner: 'Nordhaus & Sons',
    language: 'en',
    year: 2026,
    stylesheets: ['/base.css', '/print.css'],
    navigation: [
      { page: 'products', href: '/products', label: 'Products' },
      { page: 'article', href: '/articles', label: 'Articles' },
      { page: 'dashboard', href: '/dashboard', label: 'Dashboard' },
    ],
    links: { Imprint: '/imprint', Privacy: '/privacy', 'Terms & conditions': '/terms' },
  },
  user: { name: 'Ida <admin>', unread: 3 },
  products: Array.from({ length: 40 }, (_, i) => ({
    id: i,
    name: `${i % 3 ? 'Small' : 'Large'} ${NAMES[i % NAMES.length]} "${i}"`,
    cents: 1999 + i * 310,
    stock: i % 7,
    tags: ['new', 'oak', 'sale'].slice(0, i % 4),
  })),
  query: 'large lamp',
  article: {
    title: 'How a chair is made',
    author: 'K. Berg',
    date: '2026-11-20',
    words: 1430,
    blocks: [
      { type: 'text', text: 'It begins with a tree, & with somebody who looks at it.' },
      { type: 'heading', text: 'Wood' },
      { type: 'list', items: ['oak', 'ash', 'beech'] },
      { type: 'code', language: 'js', text: 'const chair = legs.map((leg) => leg < 4);' },
    ],
    comments: [
      {
        by: 'Ole',
        text: 'Good!',
        replies: [{ by: 'K. Berg', text: 'Thanks.', replies: [{ by: 'Ole', text: '<3' }] }],
      },
      { by: 'Per', text: 'And the table?' },
    ],
  },
  customer: 'M. Lund',
  number: '2026-117',
  clerk: 'Ida',
  overdueDays: 1,
  note: 'Please mind the new account.',
  taxPercent: 25,
  lines: [
    { item: 'Large Lamp', count: 2, cents: 4999 },
    { item: 'Rug', count: 1, cents: 12_900 },
  ],
  figures: [
    { label: 'Orders', value: 84, before: 71 },
    { label: 'Returns', value: 4, before: 9 },
    { label: 'Visitors', value: 1203, before: 1203 },
  ],
  log: [
    { at: '09:12', level: 'info', text: 'started' },
    { at: '09:40', level: 'warn', text: 'slow answer from "bank"' },
  ],
  error: { status: 404, stack: 'Error: no such page\n    at find (pages.js:10)\n    at serve (server.js:4)' },
};
