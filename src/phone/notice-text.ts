// The shape of a notice's words.
import type { Said } from '../http/explanations.ts';

export interface NoticeFacts {
  /** The hospital's name; a word for it where the fact has none. */
  hospital: Said;
  /** Yuan; what the fact is about, as far as it concerns the reader. */
  amount: string;
  /** Yuan that came back or is no longer owed. */
  back: string;
  /** The insurer's or finance's words, for the patient only; empty for a payer. */
  reason: string;
}

export interface NoticeText {
  title: Said;
  text: (facts: NoticeFacts) => Said;
  /** For the payer of somebody else's visit; absent: the same words. */
  forPayer?: (facts: NoticeFacts) => Said;
}

/** A text that needs no facts. */
export const plain = (title: Said, text: Said): NoticeText => ({ title, text: () => text });
