const ALIGN = 16;

/** Memory for many small values, which share slabs. */
export class Slabs {
  #slab = new ArrayBuffer(0);
  #used = 0;

  /**
   * @param slabBytes bytes of a slab. A value of more than an eighth of it gets memory of its own, so that keeping
   * the value does not keep a slab
   */
  constructor(readonly slabBytes: number) {}

  /** A view of `length` bytes that nothing else uses, with arbitrary contents. */
  allocate(length: number): Uint8Array {
    if (length > this.slabBytes / 8) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = Buffer.allocUnsafeSlow(this.slabBytes).buffer as ArrayBuffer;
      this.#used = 0;
    }
    const view = new Uint8Array(this.#slab, this.#used, length);
    this.#used = (this.#used + length + ALIGN - 1) & -ALIGN;
    return view;
  }
}
