/** The words of the search. */
export const searchTexts = {
  search: {
    title: 'Search',
    lead: 'Say what you would like to read, in your own words. A title, an author or an ISBN will do, too.',
    label: 'What are you looking for?',
    example: 'A friendship that outlasts a war',
    ask: 'Search',
    hint: 'Press Enter to search.',
    count: (length: number, max: number) => `${length} / ${max}`,
    tooLong: (by: number) => (by === 1 ? 'One character too many.' : `${by} characters too many.`),
    none: 'What will you read next?',
    noneLead: 'The answer and the books that fit best appear here.',
    waiting: 'Looking through the books…',
    answer: 'Answer',
    books: 'Books that fit, the best first',
    by: {
      local: 'By the built-in search, without AI.',
      anthropic: 'By Claude, over what the built-in search found.',
    },
    found: (count: number) => (count === 1 ? '1 book.' : `${count} books.`),
    nothing: (query: string) => `Nothing fits “${query}”`,
    nothingLead: 'Try other words: what it is about, where it plays, who wrote it.',
    cut: 'The answer broke off. What has come so far is here.',
    again: 'Ask again',
    limit: (time: string, wait: string) =>
      `You have asked as often as you can in an hour. The next question is possible at ${time}, in ${wait}.`,
    limitOver: 'You can ask again now.',
    signIn: 'Sign in to search',
    signInLead: 'With an account you can ask in your own words, a few times an hour.',
    signInAction: 'Sign in',
  },
} as const
