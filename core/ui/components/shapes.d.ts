// What Python sends each component, drawn from its dataclasses: `python -m tests.component_shapes`.

export interface AnnouncerData {
  words: string;
}

export interface Ballot {
  token: string;
  prompt: string;
  left: string;
  right: string;
}

export interface BallotAnew {
  of: string;
  token: string;
}

export interface Card {
  id: string;
  picture_url: string | null;
  alt: string;
  title: string;
  subtitle: string;
  badge: string;
  problem: string;
  halves: Half[];
  starred: boolean | null;
}

export interface Choice {
  value: string;
  label: string;
}

export interface DoubtedBallot {
  token: string;
  says: string;
}

export interface DrawnData {
  session: string;
  line: string;
  taken: number;
  shown: string | null;
  unsent: boolean;
  draft: Record<string, unknown>;
  heard: Record<string, number>;
  aside: boolean;
  prompt_chars_max: number;
}

export interface FilmstripData {
  label: string;
  more: string;
  items: FilmstripItem[];
}

export interface FilmstripItem {
  id: string;
  name: string;
  mark: "" | "shown" | "left" | "right";
  note: string;
  ratio: number;
  sides: FilmstripSide[];
  takes: string;
}

export interface FilmstripSide {
  side: string;
  state: "queued" | "running" | "failed" | "cancelled" | "done";
  word: string;
  picture_url: string | null;
  elapsed_s: number | null;
}

export interface FocusData {
  key: string;
  owner: string;
  queue: string;
  items: FocusItem[];
  personas: Record<string, Persona>;
  fields: FocusField[];
  waiting: number;
  passed: number;
  desk: string;
  hand: string[];
  is_searched: boolean;
  kept: string[];
  undoable: Undoable[];
  conflicts: LostRace[];
  settled: Settled[];
  trouble: string;
}

export interface FocusField {
  name: string;
  label: string;
  choices: Choice[];
  is_free: boolean;
  is_personal: boolean;
}

export interface FocusItem {
  id: string;
  title: string;
  reason: string;
  detail: string;
  picture_url: string;
  thumbnail_url: string;
  original_url: string;
  alt: string;
  seen: string;
  values: Record<string, FocusValue>;
  more: string[];
  persona: string;
  lent_to: string;
  lent_until_ms: number;
}

export interface FocusValue {
  value: string | null;
  by: string;
  confidence: number | null;
  others: string[];
  wrong: number | null;
}

export interface GridData {
  key: string;
  label: string;
  selectable: boolean;
  keeps: boolean;
  selected_max: number;
  click: "open" | "select";
  aspect: "portrait" | "square" | "landscape";
  fit: "cover" | "contain";
  min_card_px: number;
  turn: number;
  epoch: number;
  dropped: Record<string, number>;
  star_turn: number;
  cards: Card[];
}

export interface Half {
  picture_url: string | null;
  alt: string;
  badge: string;
  problem: string;
}

export interface LostRace {
  decision: string;
  item: string;
  says: string;
  mine: Record<string, string | null>;
  fields: string[];
  seen: string;
}

export interface OwnerData {
  owner: string | null;
}

export interface Persona {
  name: string;
  pictures: PersonaTile[];
  more: number;
}

export interface PersonaTile {
  id: string;
  alt: string;
  thumbnail_url: string;
  says: Record<string, string | null>;
  decided_by: Record<string, string>;
}

export interface PromptData {
  part: string;
  label: string;
  placeholder: string;
  height: number;
  text: string;
  number: number;
  chars_max: number;
  refused_chars: number;
}

export interface RefusedAct {
  act: string;
  says: string;
}

export interface RequestData {
  id: string;
  method: "POST" | "DELETE";
  url: string;
  header: string;
  body: string;
  is_silent: boolean;
}

export interface RevealedBallot {
  token: string;
  left: string;
  right: string;
  url: string;
}

export interface SelectedPicture {
  id: string;
  picture_url: string;
  name: string;
}

export interface SelectionBarData {
  key: string;
  ids: string[];
  copied: string[];
  elsewhere: number;
  pictures: SelectedPicture[];
  zip_url: string;
  zip_field: string;
  zip_problem: string;
}

export interface Settled {
  decision: string;
  item: string;
  says: string;
  left: string[];
}

export interface SignInData {
  attempt: string;
  after: string;
  start: string;
}

export interface StageButton {
  does: "cancel" | "retry";
  label: string;
  help: string;
  ready_at_ms: number | null;
}

export interface StageData {
  comparison: string;
  height: number;
  takes: StageSide[][];
  take: number;
  drawn_at_ms: number;
  made_with: string;
  next: StageNext | null;
  together: StageButton | null;
  zip: StageLink | null;
}

export interface StageFoot {
  side: string;
  fidelity: string;
  fidelity_help: string;
  figures: string;
  figures_help: string;
  picture: StageLink | null;
  button: StageButton | null;
  notes: string[];
}

export interface StageLink {
  url: string;
  help: string;
}

export interface StageNext {
  comparison: string;
  says: string;
  since_ms: number | null;
  usually: string;
  cancel: string;
}

export interface StageSide {
  name: string;
  title: string;
  state: "queued" | "running" | "failed" | "done" | "cancelled" | "empty";
  width_px: number;
  height_px: number;
  picture_url: string | null;
  alt: string;
  headline: string;
  detail: string;
  request_id: string | null;
  progress: number | null;
  since_ms: number | null;
  usually: string;
  thumbnail_url: string | null;
  foot: StageFoot | null;
}

export interface Tile {
  id: string;
  name: string;
  picture_url: string | null;
  alt: string;
  disabled_reason: string | null;
}

export interface TilesData {
  part: string;
  label: string;
  note: string;
  columns: number;
  lines: number[];
  tiles: Tile[];
  picked: string | null;
  proposed: string | null;
  turn: number;
}

export interface Undoable {
  decision: string;
  item: string;
}

export interface VoteData {
  owner: string;
  queue: string;
  is_met: boolean;
  is_over: boolean;
  ballots: Ballot[];
  reasons: VoteReason[];
  kept: string[];
  refused: RefusedAct[];
  anew: BallotAnew[];
  revealed: RevealedBallot[];
  doubted: DoubtedBallot[];
  judged: number;
  seconds: number;
  waiting: number;
  left: number | null;
  trouble: string;
}

export interface VoteReason {
  value: string;
  label: string;
}

export interface WorkData {
  comparisons: string[];
  says: string;
  cancel: string;
  since_ms: number;
  drawn_at_ms: number;
  ended: string;
  ended_at_ms: number;
  is_on_stage: boolean;
}
