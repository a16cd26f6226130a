// Every supported major version of Keyv.

/** What the tests use of a Keyv of any version. */
export interface AnyKeyv {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<unknown[]>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  setMany?(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>;
  delete(key: string | string[]): Promise<boolean | boolean[]>;
  has(key: string): Promise<boolean>;
  clear(): Promise<void>;
  disconnect(): Promise<void>;
  iterator(argument?: unknown): AsyncGenerator<[string, unknown], void>;
  on(event: string, listener: (error: Error) => void): unknown;
}

type Constructor = new (options?: Record<string, unknown>) => AnyKeyv;

function load(name: string): Constructor {
  // Loaded by a variable, so that TypeScript does not need the types of each version.
  const loaded = require(name) as { Keyv?: Constructor } & Constructor;
  return loaded.Keyv ?? loaded;
}

export const versions: Readonly<Record<string, Constructor>> = {
  'Keyv 4': load('keyv4'),
  'Keyv 5': load('keyv'),
  'Keyv 6': load('keyv6'),
};
