-- Items redeemed before they had a deadline get one, and the counts that shipping goes by.
update redemption set
  overdue_at = created_at + interval '30 days',
  fulfillment = fulfillment || jsonb_build_object('shipped', 0, 'canceled', 0, 'shipments', '[]'::jsonb,
    'deadline', created_at + interval '30 days', 'on_overdue', 'notify')
where status = 'fulfillment_pending' and overdue_at is null;
--> statement-breakpoint
update redemption set reversed_quantity = quantity where status = 'reversed';
