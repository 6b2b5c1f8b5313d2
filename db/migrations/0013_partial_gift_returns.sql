-- Gift cards that were returned in part kept all of their codes; from here on a part that is returned voids as many, the last ones first.
update gift_code g set status = 'void', voided_at = clock_timestamp()
from redemption d, jsonb_array_elements(d.gift_cards) with ordinality as given (card, position)
where d.status <> 'reversed' and d.reversed_quantity > 0 and given.position > d.quantity - d.reversed_quantity
  and g.workspace = d.workspace and g.redemption = d.id and g.id = given.card ->> 'id' and g.status = 'given';
