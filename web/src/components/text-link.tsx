import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ComponentPropsWithRef } from 'react'

type Link<Props> = Props & Omit<ComponentPropsWithRef<'a'>, keyof Props>

/** A link to a page, within a text. */
export const TextLink = createLink((props: Link<AnchorProps>) => <Anchor underline="always" {...props} />)

/** A link to a page that looks like a button. */
export const ButtonLink = createLink((props: Link<ButtonProps>) => <Button component="a" {...props} />)
