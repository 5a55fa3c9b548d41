import type { LemurError } from '../../errors.js';
import type { PassageOptions } from '../../passages/passage-rules.js';
import type { Metadata } from '../metadata/metadata.js';

/** Text and metadata of a document. */
export interface MirrorContent<M extends Metadata = Metadata> {
  /** As `IndexDocument` has it. */
  text: string;
  /** As `IndexDocument` has it. */
  metadata?: M | undefined;
  /** Of what `read` found, which may be newer than what was listed: as `MirrorDocument` has it. */
  hash?: string | undefined;
  /** The same of the metadata. */
  metadataHash?: string | undefined;
}

/** A document of a source, as it is there now. */
export interface MirrorDocument<M extends Metadata = Metadata> {
  /** Its id in the source; in the collection ids of a second root begin with that root's name. */
  id: string;
  /** Its text; or `read` gives it, or it is to be kept as it is. */
  text?: string | undefined;
  /** Its metadata. */
  metadata?: M | undefined;
  /**
   * Stands for the text, such as a hash of a file or a version: as long as it is the same nothing
   * is encoded. Default: the SHA-256 of the text.
   */
  hash?: string | undefined;
  /** Stands for the metadata. Default: the SHA-256 of their JSON. */
  metadataHash?: string | undefined;
  /**
   * Reads it, where `text` is not given and `hash` is: asked of new and changed documents.
   * undefined: it cannot be read, and stays as it was. What has a blank text goes.
   */
  read?: (() => Promise<MirrorContent<M> | undefined>) | undefined;
  /** That it is there and cannot be read now: it stays as it was. */
  keep?: boolean | undefined;
}

/** Where documents come from, which a collection is kept in step with. */
export interface MirrorFacts<M extends Metadata = Metadata> {
  /**
   * Its name, such as an address; of a folder the absolute path. What is deleted is only what was
   * recorded under the same name.
   */
  readonly root: string;
  /** The documents without their texts; default: the source itself, which is then read twice. */
  list?(): AsyncIterable<MirrorDocument<M>>;
  /** Asked when all were listed. false: not all could be, and nothing is deleted. Default true. */
  readonly complete?: boolean | undefined;
  /**
   * Asked when all were listed: how many things there it leaves out, those that it was told are
   * refused included. Default: those that are kept or refused.
   */
  readonly skipped?: number | undefined;
  /**
   * How its texts are cut by a collection that has no document yet and was made without `passages`:
   * its documents are cut from then on.
   */
  readonly passages?: PassageOptions | undefined;
  /**
   * Told of a document that the collection does not take, which is skipped then. Default: the call
   * rejects with that error.
   */
  refuse?(id: string, error: LemurError): void;
}

/**
 * What a collection is brought in step with: an iterable of all its documents, each time in the
 * same order, and what is to be known of it.
 */
export type MirrorSource<M extends Metadata = Metadata> = MirrorFacts<M> &
  (AsyncIterable<MirrorDocument<M>> | Iterable<MirrorDocument<M>>);
