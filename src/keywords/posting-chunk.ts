/** Bytes of postings that have a checksum. */
export const POSTING_CHUNK: number = 1 << 12;
