import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Card } from '@/components/card'
import { Confirm } from '@/components/confirm'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useDeleteBook } from '../api/books'

const t = texts.bookForm

/** Takes a book away, once it is confirmed. */
export function DeleteBook({ id }: { id: number }) {
  const [isAsking, setIsAsking] = useState(false)
  const remove = useDeleteBook(id)
  const navigate = useNavigate()
  const run = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        toast(t.deleted)
        void navigate({ to: '/books', replace: true })
      },
      onError: (error) => {
        setIsAsking(false)
        toastProblem(error)
      },
    })
  return (
    <>
      <Card
        title={t.delete}
        lead={t.deleteLead}
        tone="danger"
        action={
          <Button variant="outline" color="danger" onClick={() => setIsAsking(true)}>
            {t.delete}
          </Button>
        }
      />
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={t.confirmTitle}
        cancel={t.cancel}
        confirm={t.delete}
        isRunning={remove.isPending}
        onConfirm={run}
      >
        {t.deleteLead}
      </Confirm>
    </>
  )
}
