import type { components } from 'portcullis-client'

type Schemas = components['schemas']
/** An answer some of whose texts are one of a few. */
type Narrow<Type, Fields> = Omit<Type, keyof Fields> & Fields

/** A book as the caller sees it: average and count hold what they may see. */
export type Book = Schemas['Book']
/** What staff write of a book. */
export type BookInput = Schemas['BookRequest']
/** A review; `review_text` is HTML that the server has cleaned. */
export type Review = Schemas['Review']
/** What an owner writes of a review. */
export type ReviewInput = Schemas['ReviewRequest']

/** Whether somebody follows: with approval, waiting for it, or not. */
export type FollowStatus = 'accepted' | 'pending' | null
/** What others see of somebody. */
export type Person = Narrow<Schemas['Profile'], { follow_status: FollowStatus }>

/** Who sees a profile. */
export type Visibility = 'public' | 'followers_only' | 'private'
/** Which mails somebody wants. */
export type Preferences = Schemas['Preferences']
/** A profile as its owner sees it. */
export type OwnProfile = Narrow<Schemas['OwnProfile'], { profile_visibility: Visibility }>
/** What an owner changes of it. */
export type ProfilePatch = Narrow<Schemas['ProfilePatch'], { profile_visibility?: Visibility }>

/** Somebody who asks to follow. */
export type FollowRequest = Schemas['FollowRequest']
/** Somebody who is blocked. */
export type BlockedPerson = Schemas['BlockedPerson']

/** A room as the caller sees it. */
export type Room = Schemas['Room']
/** What its owner writes of it. */
export type RoomInput = Schemas['NewRoom']
/** Somebody who is in a room. */
export type Member = Schemas['Member']
/** How many messages of each of the caller's rooms are new to them. */
export type UnreadList = Schemas['UnreadList']

/** What a search answers; `provider` says whether Claude was asked. */
export type SearchAnswer = Narrow<Schemas['SearchAnswer'], { provider: 'local' | 'anthropic' }>
