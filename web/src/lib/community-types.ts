/** A book as the caller sees it: average and count hold what they may see. */
export interface Book {
  id: number
  title: string
  author: string
  isbn: string | null
  description: string
  year: number | null
  average_rating: number | null
  review_count: number
}

/** What staff write of a book. */
export type BookInput = Pick<Book, 'title' | 'author' | 'isbn' | 'description' | 'year'>

/** A review; `review_text` is HTML that the server has cleaned. */
export interface Review {
  id: number
  book: number
  /** Of whoever wrote it. */
  user: string
  title: string
  review_text: string
  rating: number
  is_public: boolean
  created_at: string
  updated_at: string
}

/** What an owner writes of a review. */
export type ReviewInput = Pick<Review, 'book' | 'title' | 'review_text' | 'rating' | 'is_public'>

/** Whether somebody follows: with approval, waiting for it, or not. */
export type FollowStatus = 'accepted' | 'pending' | null

/** What others see of somebody. */
export interface Person {
  username: string
  bio: string
  avatar_url: string | null
  followers_count: number
  following_count: number
  /** Of the visitor. */
  follow_status: FollowStatus
}

/** Who sees a profile. */
export type Visibility = 'public' | 'followers_only' | 'private'

/** Which mails somebody wants. */
export interface Preferences {
  new_follower: boolean
  follow_request: boolean
  follow_approved: boolean
  book_reviewed: boolean
}

/** A profile as its owner sees it. */
export interface OwnProfile extends Omit<Person, 'follow_status'> {
  profile_visibility: Visibility
  notification_preferences: Preferences
}

/** Somebody who asks to follow. */
export interface FollowRequest {
  id: number
  user: string
  created_at: string
}

/** Somebody who is blocked. */
export interface BlockedPerson {
  user: string
  created_at: string
}
