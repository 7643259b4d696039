import { IconSearchOff, IconSparkles } from '@tabler/icons-react'
import { Empty } from '@/components/empty'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { type Answer, useAnswer } from '../api/answer'
import { AnswerCard } from '../components/answer-card'
import { AnswerNews } from '../components/answer-news'
import { AnswerProblem } from '../components/answer-problem'
import { FoundBooks } from '../components/found-books'
import { QuestionForm } from '../components/question-form'

const t = texts.search

/** A question in one's own words, its answer as it comes, and the books that fit. */
export function SearchPage() {
  const isSignedIn = useUser() !== undefined
  return (
    <>
      <PageHeading title={t.title} lead={t.lead} />
      {isSignedIn ? <Search /> : <SignInFirst />}
    </>
  )
}

function Search() {
  const { answer, ask } = useAnswer()
  return (
    <>
      <QuestionForm asked={answer.query} onAsk={(query) => void ask(query)} />
      <AnswerNews answer={answer} />
      <Outcome answer={answer} onAgain={() => void ask(answer.query)} />
    </>
  )
}

function Outcome({ answer, onAgain }: { answer: Answer; onAgain: () => void }) {
  const { status, results, query } = answer
  if (status === 'none') return <Empty Icon={IconSparkles} title={t.none} lead={t.noneLead} />
  if (status === 'failed') return <AnswerProblem problem={answer.problem} onAgain={onAgain} />
  if (status === 'done' && results.length === 0) {
    return <Empty Icon={IconSearchOff} title={t.nothing(query)} lead={t.nothingLead} />
  }
  return (
    <>
      <AnswerCard answer={answer} onAgain={onAgain} />
      {results.length > 0 && <FoundBooks results={results} />}
    </>
  )
}

function SignInFirst() {
  return (
    <Empty
      Icon={IconSparkles}
      title={t.signIn}
      lead={t.signInLead}
      action={
        <ButtonLink to="/sign-in" search={{ next: '/search' }}>
          {t.signInAction}
        </ButtonLink>
      }
    />
  )
}
